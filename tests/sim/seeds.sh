#!/usr/bin/env bash
# limit: 400 s
# Two thousand runs of the simulator, each with its own mesh, builds and faults; on all cores.
exec "$B/sim/sim" --seeds "${SIM_SEEDS:-1-2000}"
