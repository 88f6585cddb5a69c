#!/usr/bin/env bash
# limit: 60 s
# Two clients that fill the mesh, one with many jobs and one with few, each have their share of it.
exec "$B/sim/sim" --shares
