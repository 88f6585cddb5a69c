# Distributed under the terms of the ISC license

EAPI=8

inherit acct-user

DESCRIPTION="User as which icemeshd runs"
# Any free number.
ACCT_USER_ID=-1
ACCT_USER_GROUPS=( icemesh )

acct-user_add_deps
