/* Owns the order of a delivery: what goes into a request, what is confirmed, and how one bad record
 * is found. */
#include "src/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/delivery_file.h"
#include "src/delivery_run.h"
#include "src/exchange.h"
#include "src/rejects.h"
#include "src/request.h"

enum { BODY_BYTES_MAX = 16 * 1024 * 1024 };

static bool gather(struct delivery *d, struct error *err);
static bool read_ahead(struct delivery *d, bool *is_end_out, struct error *err);
static bool fits(const struct delivery *d, const struct record *record);
static void take(struct delivery *d);
static bool is_batched(enum record_type type);
static size_t json_bytes(const struct record *record);
static enum delivery_outcome send_batch(struct delivery *d, struct error *err);
static enum delivery_outcome batch_refused(struct delivery *d, size_t end, struct error *err);
static enum delivery_outcome send_single(struct delivery *d, const struct record *record,
					 struct error *err);
static enum delivery_outcome send_end(struct delivery *d, const struct record_end *end,
				      struct error *err);
static enum delivery_outcome send_dataset(struct delivery *d, const struct record_dataset *dataset,
					  struct error *err);
static enum delivery_outcome single_refused(struct delivery *d, enum exchange_result result,
					    struct error *err);
static enum delivery_outcome set_aside(struct delivery *d, const struct record *record_or_null,
				       const char *reason, struct error *err);
static enum delivery_outcome confirm(struct delivery *d, size_t end, struct error *err);

bool delivery_init(struct delivery *d, struct spool *spool, struct transport *transport,
		   const char *run_id, delivery_note_fn note, void *note_context, struct error *err)
{
	memset(d, 0, sizeof *d);
	d->spool = spool;
	d->transport = transport;
	d->note = note;
	d->note_context = note_context;
	d->retry_after_ms = -1;
	(void)snprintf(d->run_id, sizeof d->run_id, "%s", run_id);
	buffer_init(&d->body, BODY_BYTES_MAX);
	spool_reader_init(&d->reader, spool);
	d->records = calloc(DELIVERY_RECORDS_MAX, sizeof *d->records);
	d->is_unreadable = calloc(DELIVERY_RECORDS_MAX, sizeof *d->is_unreadable);
	if (d->records != NULL && d->is_unreadable != NULL)
		return true;
	delivery_deinit(d);
	return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
}

void delivery_deinit(struct delivery *d)
{
	spool_reader_deinit(&d->reader);
	buffer_deinit(&d->body);
	buffer_deinit(&d->reply.body);
	free(d->records);
	free(d->is_unreadable);
	d->records = NULL;
	d->is_unreadable = NULL;
}

enum delivery_outcome delivery_step(struct delivery *d, struct error *err)
{
	d->retry_after_ms = -1;
	if (d->server_is_foreign) {
		error_set(err, ERR_BAD_REQUEST,
			  "the server does not take run ids from clients: it is not a trackerd");
		return DELIVERY_REFUSED;
	}
	if (d->first == d->count && !gather(d, err))
		return DELIVERY_RETRY;
	if (d->first == d->count)
		return DELIVERY_EMPTY;
	const struct record *record = &d->records[d->first];
	if (d->is_unreadable[d->first])
		return set_aside(d, NULL, "this library cannot read the record", err);
	if (is_batched(record->type))
		return send_batch(d, err);
	return send_single(d, record, err);
}

/* Fills the batch, which is empty. False when the spool cannot be read just now. */
static bool gather(struct delivery *d, struct error *err)
{
	d->first = d->count = 0;
	d->params_count = d->tags_count = d->bytes = 0;
	d->suspect_end = 0;
	for (;;) {
		bool is_end = false;
		if (!d->has_pending && !read_ahead(d, &is_end, err))
			return d->count >
			       0; /* what was read is good; the trouble will show again */
		if (is_end || (d->count > 0 && !fits(d, &d->pending)))
			return true;
		take(d);
		if (d->is_unreadable[0] || !is_batched(d->records[0].type))
			return true;
	}
}

/* *is_end_out: nothing more belongs into this batch. */
static bool read_ahead(struct delivery *d, bool *is_end_out, struct error *err)
{
	for (;;) {
		switch (spool_reader_next(&d->reader, &d->pending, err)) {
		case SPOOL_READ_RECORD:
			d->has_pending = true;
			d->pending_is_unreadable = false;
			return true;
		case SPOOL_READ_UNREADABLE:
			d->has_pending = true;
			d->pending_is_unreadable = true;
			return true;
		case SPOOL_READ_NONE:
			*is_end_out = true;
			return true;
		case SPOOL_READ_BOUNDARY:
			/* Records of the batch borrow from the segment at hand. */
			if (d->count > 0) {
				*is_end_out = true;
				return true;
			}
			if (!spool_reader_advance(&d->reader, err))
				return false;
			break;
		case SPOOL_READ_FAILED:
			return false;
		}
	}
}

/* May `record` share a request with those gathered, of which there is one at least? The server
 * takes a parameter's name once a request; for tags the last value must win. */
static bool fits(const struct delivery *d, const struct record *record)
{
	if (d->pending_is_unreadable || !is_batched(record->type) ||
	    d->count == DELIVERY_RECORDS_MAX)
		return false;
	if (d->bytes + json_bytes(record) > DELIVERY_BATCH_BYTES_MAX)
		return false;
	if (record->type != RECORD_PARAM && record->type != RECORD_TAG)
		return true;
	if (record->type == RECORD_PARAM ? d->params_count == DELIVERY_PARAMS_MAX
					 : d->tags_count == DELIVERY_TAGS_MAX)
		return false;
	for (size_t i = 0; i < d->count; i++) {
		if (d->records[i].type == record->type &&
		    slice_eq(d->records[i].pair.key, record->pair.key))
			return false;
	}
	return true;
}

static void take(struct delivery *d)
{
	d->records[d->count] = d->pending;
	d->is_unreadable[d->count] = d->pending_is_unreadable;
	d->count++;
	d->has_pending = false;
	if (d->pending_is_unreadable)
		return;
	d->bytes += json_bytes(&d->pending);
	d->params_count += d->pending.type == RECORD_PARAM;
	d->tags_count += d->pending.type == RECORD_TAG;
}

static bool is_batched(enum record_type type)
{
	return type == RECORD_METRIC || type == RECORD_METRIC_NAMED || type == RECORD_PARAM ||
	       type == RECORD_TAG;
}

/* About; escapes in names are rare. */
static size_t json_bytes(const struct record *record)
{
	if (record->type == RECORD_PARAM || record->type == RECORD_TAG)
		return record->pair.key.len + record->pair.value.len +
		       sizeof "{\"key\":\"\",\"value\":\"\"},";
	if (record->type == RECORD_METRIC || record->type == RECORD_METRIC_NAMED)
		return record->metric.name.len + 110;
	return 0;
}

static enum delivery_outcome send_batch(struct delivery *d, struct error *err)
{
	size_t end = d->count;
	if (d->suspect_end > d->first) {
		size_t half = (d->suspect_end - d->first) / 2;
		end = d->first + (half > 0 ? half : 1);
	}
	buffer_reset(&d->body);
	request_log_batch(&d->body, d->run_id, &d->records[d->first], end - d->first);
	enum exchange_result result = exchange_post(d, "/api/2.0/mlflow/runs/log-batch", err);
	switch (result) {
	case EXCHANGE_OK:
		return confirm(d, end, err);
	case EXCHANGE_BAD:
		return batch_refused(d, end, err);
	case EXCHANGE_NOT_FOUND:
	case EXCHANGE_DENIED:
	case EXCHANGE_RETRY:
	case EXCHANGE_CANCELLED:
		return exchange_outcome(result);
	}
	return DELIVERY_RETRY;
}

/* The server took none of records[first] to records[end - 1]. */
static enum delivery_outcome batch_refused(struct delivery *d, size_t end, struct error *err)
{
	/* The first time, make sure that it is not the run that is refused, or all would be set
	 * aside one by one. */
	if (d->suspect_end == 0) {
		struct error run_err;
		enum delivery_outcome outcome = delivery_run_check(d, &run_err);
		if (outcome != DELIVERY_PROGRESS) {
			*err = run_err;
			return outcome;
		}
	}
	if (end - d->first > 1) {
		d->suspect_end = end;
		return DELIVERY_PROGRESS;
	}
	return set_aside(d, &d->records[d->first], err->message, err);
}

static enum delivery_outcome send_single(struct delivery *d, const struct record *record,
					 struct error *err)
{
	enum delivery_outcome outcome = DELIVERY_PROGRESS;
	switch (record->type) {
	case RECORD_START:
		outcome = delivery_run_start(d, &record->start, err);
		break;
	case RECORD_END:
		return send_end(d, &record->end, err);
	case RECORD_DATASET:
		return send_dataset(d, &record->dataset, err);
	case RECORD_FILE:
	case RECORD_ARCHIVE: {
		enum exchange_result result = delivery_file_send(d, record, err);
		if (result != EXCHANGE_OK)
			return single_refused(d, result, err);
		struct record sent = *record;
		outcome = confirm(d, d->first + 1, err);
		if (outcome == DELIVERY_PROGRESS)
			delivery_file_forget(d, &sent);
		return outcome;
	}
	case RECORD_CLOSE:
	case RECORD_METRIC:
	case RECORD_METRIC_NAMED:
	case RECORD_PARAM:
	case RECORD_TAG:
		break;
	}
	return outcome == DELIVERY_PROGRESS ? confirm(d, d->first + 1, err) : outcome;
}

static enum delivery_outcome send_end(struct delivery *d, const struct record_end *end,
				      struct error *err)
{
	buffer_reset(&d->body);
	request_update_run(&d->body, d->run_id, end->status, end->time_ms);
	enum exchange_result result = exchange_post(d, "/api/2.0/mlflow/runs/update", err);
	return result == EXCHANGE_OK ? confirm(d, d->first + 1, err)
				     : single_refused(d, result, err);
}

static enum delivery_outcome send_dataset(struct delivery *d, const struct record_dataset *dataset,
					  struct error *err)
{
	buffer_reset(&d->body);
	request_log_dataset(&d->body, d->run_id, dataset);
	enum exchange_result result = exchange_post(d, "/api/2.0/mlflow/runs/log-inputs", err);
	return result == EXCHANGE_OK ? confirm(d, d->first + 1, err)
				     : single_refused(d, result, err);
}

static enum delivery_outcome single_refused(struct delivery *d, enum exchange_result result,
					    struct error *err)
{
	if (result != EXCHANGE_BAD && result != EXCHANGE_NOT_FOUND)
		return exchange_outcome(result);
	struct error run_err;
	enum delivery_outcome outcome = delivery_run_check(d, &run_err);
	if (outcome != DELIVERY_PROGRESS) {
		*err = run_err;
		return outcome;
	}
	return set_aside(d, &d->records[d->first], err->message, err);
}

static enum delivery_outcome set_aside(struct delivery *d, const struct record *record_or_null,
				       const char *reason, struct error *err)
{
	char what[256];
	char sentence[ERROR_MESSAGE_BYTES_MAX];
	uint64_t sequence = d->records[d->first].sequence;
	rejects_describe(record_or_null, what, sizeof what);
	(void)snprintf(sentence, sizeof sentence, "%s was set aside: %.700s", what, reason);
	struct error file_err;
	if (!rejects_append(spool_directory_fd(d->spool), d->run_id, sequence, record_or_null,
			    reason, &file_err)) {
		*err = file_err;
		return DELIVERY_RETRY;
	}
	/* Before the confirmation, which may wake somebody who asks for the sentence. */
	d->note(d->note_context, TRK_LOG_WARN, sentence);
	if (!spool_confirm(d->spool, sequence, 1, err))
		return DELIVERY_RETRY;
	d->first++;
	d->suspect_end = 0;
	d->records_rejected++;
	return DELIVERY_PROGRESS;
}

static enum delivery_outcome confirm(struct delivery *d, size_t end, struct error *err)
{
	if (!spool_confirm(d->spool, d->records[end - 1].sequence, 0, err))
		return DELIVERY_RETRY;
	d->records_delivered += end - d->first;
	d->first = end;
	if (d->suspect_end <= end)
		d->suspect_end = 0;
	return DELIVERY_PROGRESS;
}
