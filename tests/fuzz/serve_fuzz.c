/* Fuzzes what trk serve reads from strangers: a request, in JSON or CSV, becomes one line of JSON or nothing, an answer
 * is read or not. */
#include <stdint.h>
#include <string.h>

#include "base/json_scanner.h"
#include "serve/answer.h"
#include "serve/inputs.h"
#include "serve/inputs_csv.h"
#include "serve/plain_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_BYTES_MAX = 256 * 1024, BODY_BYTES_MAX = 64 * 1024 };

/* One object of JSON, and the newline at its end is the only one. */
static void check_line(struct slice line)
{
	struct json_scanner s;
	enum json_token token;
	size_t records = 0, inputs = 0;
	ASSERT(line.len > 0 && slice_find_byte(line, '\n', 0) == line.len - 1);
	json_scanner_init(&s, line);
	s.takes_any_number = true; /* 1e999 */
	do {
		token = json_scan_next(&s);
		records += token == JSON_KEY && s.depth == 1 && slice_eq_cstr(s.raw, "records");
		inputs += token == JSON_KEY && s.depth == 1 && slice_eq_cstr(s.raw, "inputs");
	} while (token != JSON_END && token != JSON_ERROR);
	ASSERT(token == JSON_END && records + inputs == 1 && !s.has_nonfinite);
}

static void check_request(bool (*read)(struct slice body, uint64_t id, struct buffer *out,
				       struct error *err),
			  struct slice body)
{
	struct buffer line;
	struct error err;
	buffer_init(&line, LINE_BYTES_MAX);
	if (read(body, 7, &line, &err))
		check_line(buffer_slice(&line));
	else
		ASSERT(err.code == ERR_BAD_REQUEST || err.code == ERR_REQUEST_TOO_LARGE);
	buffer_deinit(&line);
}

static void check_answer(struct slice line)
{
	struct answer answer;
	struct error err;
	if (!answer_read(line, &answer, &err))
		return;
	if (slice_is_present(answer.error))
		ASSERT(answer.error.len >= 2 && answer.error.ptr[0] == '"');
	if (!slice_is_present(answer.predictions))
		return;
	ASSERT(answer.predictions.len > 0);
	struct buffer plain;
	buffer_init(&plain, line.len * 2);
	plain_json_append(answer.predictions, &plain);
	ASSERT(!plain.failed);
	buffer_deinit(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	if (size > BODY_BYTES_MAX)
		return 0;
	check_request(inputs_from_json, text);
	check_request(inputs_from_csv, text);
	check_answer(text);
	return 0;
}
