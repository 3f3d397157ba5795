/* The states of a deployment, and which may follow which. Pure; any thread.
 *
 *                report                             three heartbeats missed, or a report that it ends
 *     unknown ───────────▶ deploying  active ───────────────────────────────────▶ stale
 *        ▲                 rolled_back  failed ◀──────────────────────────────────  │
 *        │                       │  ▲  │              a heartbeat, a report         │
 *        │                       │  └──┘ report                                     │
 *        └────── forgotten ◀─────┴──────────────── forget ──────────────────────────┘
 *
 * A report may come after any other: those between may have been lost. Of two reporters with one id the last one is
 * believed, and deployment_changes.h shows both. `stale` hides what was reported last, and a heartbeat brings it back.
 * A target reports it itself when it ends and takes what it ran along: nobody has to miss it first.
 * `forgotten` is only ever seen in the history. */
#ifndef STORE_DEPLOYMENT_STATE_H
#define STORE_DEPLOYMENT_STATE_H

#include <stdbool.h>

#include "base/slice.h"

enum deployment_state {
	DEPLOYMENT_UNKNOWN,
	DEPLOYMENT_DEPLOYING,
	DEPLOYMENT_ACTIVE,
	DEPLOYMENT_ROLLED_BACK,
	DEPLOYMENT_FAILED,
	DEPLOYMENT_STALE,
	DEPLOYMENT_FORGOTTEN,
	DEPLOYMENT_STATES
};

/* "active"; as kept and as on the wire. Static text. */
const char *deployment_state_name(enum deployment_state state);
/* DEPLOYMENT_UNKNOWN for any other text. */
enum deployment_state deployment_state_from_name(struct slice name);
/* May one follow the other, as drawn above? */
bool deployment_state_may_become(enum deployment_state from, enum deployment_state to);

#endif
