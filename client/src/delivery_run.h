/* The requests of a delivery that concern the run as a whole. */
#ifndef CLIENT_DELIVERY_RUN_H
#define CLIENT_DELIVERY_RUN_H

#include "src/delivery.h"
#include "src/exchange.h"

/* Makes the run, or sets a continued one RUNNING. Every failure but a transient one is a refusal of
 * the run. */
enum delivery_outcome delivery_run_start(struct delivery *d, const struct record_start *start,
					 struct error *err);
/* Asks whether the run is there and active; learns where its artifacts are. PROGRESS if so. */
enum delivery_outcome delivery_run_check(struct delivery *d, struct error *err);

#endif
