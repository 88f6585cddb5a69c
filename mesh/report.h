/*
 * Reports: what this node knows, encoded for `icemesh peers`, `icemesh status` and `icemesh toolchain list` (mesh/control.h).
 */
#ifndef MESH_REPORT_H
#define MESH_REPORT_H

#include "mesh/node.h"

#define REPORT_MAX (32u << 20)

void report_peers(struct node *n, struct buf *out);
void report_status(struct node *n, struct buf *out);
void report_toolchains(struct node *n, struct buf *out);

#endif
