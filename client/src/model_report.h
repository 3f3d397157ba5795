/* What the library's watch of a model tells the daemon of its program (reporter.h), for a program that
 * gave itself a name as a target; for others all of this does nothing. The watch's thread, but for
 * open and close. */
#ifndef CLIENT_MODEL_REPORT_H
#define CLIENT_MODEL_REPORT_H

#include "src/model_watch.h"

/* The directory is open and locked: it keeps the target's ID. Closed by model_report_close, also after
 * a failure. */
MUST_CHECK bool model_report_open(struct trk_model_watch *w,
				  const struct trk_model_watch_options *options, const char *url,
				  struct error *err);
void model_report_close(struct trk_model_watch *w);
/* What is in use now, as `state` of struct report. */
void model_report(struct trk_model_watch *w, const char *state, const char *reason);
/* A version is on its way. */
void model_report_begun(struct trk_model_watch *w, const char *version);
/* The program does not follow the model any more. */
void model_report_end(struct trk_model_watch *w);
/* Sends what is due. */
void model_report_tick(struct trk_model_watch *w);
/* How long nothing is due; INT64_MAX for ever. */
int64_t model_report_idle_ms(const struct trk_model_watch *w);

#endif
