/* Owns the answering of requests in lines of JSON. */
#include "lines.h"

#include <stdlib.h>

#include "base/json_scanner.h"
#include "base/json_writer.h"

enum { MEMORY_BYTES_MAX = 1024 * 1024 * 1024 };

static bool read_zone(const struct json_value *record, const char *name, size_t index, int *out,
		      struct error *err)
{
	int64_t zone = json_tree_i64(json_tree_get(record, name), -1);
	if (zone < 0 || zone > TRIP_ZONE_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "%s of record %zu must be a number of a zone, 0 to %d", name,
				 index, TRIP_ZONE_MAX);
	*out = (int)zone;
	return true;
}

static bool read_trip(const struct json_value *record, size_t index, struct trip *out,
		      struct error *err)
{
	const struct json_value *distance = json_tree_get(record, "trip_distance");
	*out = (struct trip){0};
	if (distance == NULL || distance->kind != JSON_KIND_NUMBER)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "trip_distance of record %zu must be a number of miles", index);
	out->distance = json_tree_double(distance, 0);
	return read_zone(record, "PULocationID", index, &out->pickup_id, err) &&
	       read_zone(record, "DOLocationID", index, &out->dropoff_id, err);
}

static bool predict(const struct ridge_model *model, const struct json_value *records,
		    struct json_writer *w, struct error *err)
{
	struct trip trip;
	size_t index = 0;
	if (records == NULL || records->kind != JSON_KIND_ARRAY)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "trips are wanted as records with PULocationID, DOLocationID and "
				 "trip_distance");
	json_key(w, "predictions");
	json_array_begin(w);
	const struct json_value *record = records->first_child_or_null;
	for (; record != NULL; record = record->next_sibling_or_null) {
		if (!read_trip(record, index++, &trip, err))
			return false;
		json_double(w, ridge_predict(model, &trip));
	}
	json_array_end(w);
	return true;
}

/* One answer, without its newline. */
static void answer(const struct ridge_model *model, struct slice line, struct arena *arena,
		   struct buffer *out)
{
	struct json_writer w;
	struct json_value *request = NULL;
	struct error err;
	json_writer_init(&w, out);
	bool ok = json_tree_parse(line, arena, &request, &err);
	int64_t id = json_tree_i64(json_tree_get(request, "id"), 0);
	json_object_begin(&w);
	json_put_int(&w, "id", id);
	if (ok && json_tree_bool(json_tree_get(request, "probe"), false)) {
		json_object_end(&w);
		return;
	}
	if (!ok || !predict(model, json_tree_get(request, "records"), &w, &err)) {
		buffer_reset(out); /* what was begun */
		json_writer_init(&w, out);
		json_object_begin(&w);
		json_put_int(&w, "id", id);
		json_put_cstr(&w, "error", err.message);
	}
	json_object_end(&w);
}

bool lines_answer(const struct ridge_model *model, FILE *input, FILE *output)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t len;
	struct arena arena;
	struct buffer out;
	bool ok = true;
	arena_init(&arena, MEMORY_BYTES_MAX);
	buffer_init(&out, MEMORY_BYTES_MAX);
	while (ok && (len = getline(&line, &capacity, input)) >= 0) {
		answer(model, slice_trim(slice_make(line, (size_t)len)), &arena, &out);
		buffer_append_byte(&out, '\n');
		ok = !out.failed && fwrite(out.ptr_or_null, 1, out.len, output) == out.len &&
		     fflush(output) == 0;
		buffer_reset(&out);
		arena_reset(&arena);
	}
	ok = ok && !ferror(input);
	free(line);
	buffer_deinit(&out);
	arena_deinit(&arena);
	return ok;
}
