# Distributed under the terms of the ISC license

EAPI=8

inherit acct-group

# Any free number.
ACCT_GROUP_ID=-1
