/* Entities as JSON, byte for byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/entity_json.h"

#include <math.h>

/* Compares what was written and frees it. */
static void check(struct buffer *out, const char *expected)
{
	struct error err;
	assert_true(buffer_check(out, "reply", &err));
	buffer_append_byte(out, '\0');
	assert_string_equal(buffer_slice(out).ptr, expected);
	buffer_deinit(out);
}

static void begin(struct buffer *out, struct json_writer *w)
{
	buffer_init(out, 1 << 16);
	json_writer_init(w, out);
}

static void an_experiment_has_its_number_as_text(void **state)
{
	(void)state;
	struct key_value tag = {SLICE("k"), SLICE("")};
	struct experiment experiment = {
		.experiment_id = 0,
		.name = SLICE("Default"),
		.artifact_location = SLICE("mlflow-artifacts:/0"),
		.creation_time_ms = 1,
		.last_update_time_ms = 1700000000123,
	};
	struct buffer out;
	struct json_writer w;
	begin(&out, &w);
	entity_json_experiment(&w, &experiment);
	check(&out, "{\"experiment_id\":\"0\",\"name\":\"Default\",\"artifact_location\":\"mlflow-"
		    "artifacts:/0\","
		    "\"lifecycle_stage\":\"active\",\"last_update_time\":1700000000123,\"creation_"
		    "time\":1}");
	experiment.is_deleted = true;
	experiment.tags = (struct key_value_list){&tag, 1};
	begin(&out, &w);
	entity_json_experiment(&w, &experiment);
	check(&out, "{\"experiment_id\":\"0\",\"name\":\"Default\",\"artifact_location\":\"mlflow-"
		    "artifacts:/0\","
		    "\"lifecycle_stage\":\"deleted\",\"last_update_time\":1700000000123,\"creation_"
		    "time\":1,"
		    "\"tags\":[{\"key\":\"k\",\"value\":\"\"}]}");
}

#define INFO_RUNNING                                                                               \
	"{\"run_id\":\"r\",\"run_uuid\":\"r\",\"run_name\":\"n\",\"experiment_id\":\"12\",\"user_" \
	"id\":\"\","                                                                               \
	"\"status\":\"RUNNING\",\"start_time\":5,\"artifact_uri\":\"u\",\"lifecycle_stage\":"      \
	"\"active\"}"

static const struct run bare_run = {
	.run_id = {"r", 1},
	.experiment_id = 12,
	.name = {"n", 1},
	.user_id = {"", 0},
	.status = {"RUNNING", 7},
	.artifact_uri = {"u", 1},
	.start_time_ms = 5,
};

static void a_bare_run_has_data_and_inputs_without_lists(void **state)
{
	(void)state;
	struct buffer out;
	struct json_writer w;
	begin(&out, &w);
	entity_json_run(&w, &bare_run);
	check(&out, "{\"info\":" INFO_RUNNING ",\"data\":{},\"inputs\":{},\"outputs\":{}}");
}

static void an_ended_run_has_its_end_time(void **state)
{
	(void)state;
	struct run run = bare_run;
	run.has_end_time = true;
	run.end_time_ms = 9;
	run.is_deleted = true;
	struct buffer out;
	struct json_writer w;
	begin(&out, &w);
	entity_json_run_info(&w, &run);
	check(&out, "{\"run_id\":\"r\",\"run_uuid\":\"r\",\"run_name\":\"n\",\"experiment_id\":"
		    "\"12\",\"user_id\":\"\","
		    "\"status\":\"RUNNING\",\"start_time\":5,\"end_time\":9,\"artifact_uri\":\"u\","
		    "\"lifecycle_stage\":\"deleted\"}");
}

static void a_full_run_has_every_list(void **state)
{
	(void)state;
	struct metric metric = {.key = SLICE("m"), .value = 0, .timestamp_ms = 0, .step = 0};
	struct key_value param = {SLICE("p"), SLICE("1")}, tag = {SLICE("t"), SLICE("2")};
	struct dataset_input inputs[] = {
		{.name = SLICE("d"),
		 .digest = SLICE("x"),
		 .source_type = SLICE("local"),
		 .source = SLICE("s"),
		 .tags = {&tag, 1}},
		{.name = SLICE("e"),
		 .digest = SLICE("y"),
		 .source_type = SLICE("local"),
		 .source = SLICE("s"),
		 .schema = SLICE("{}"),
		 .profile = SLICE("")},
	};
	struct slice model_id = SLICE("m-1");
	struct model_output output = {SLICE("m-2"), 0};
	struct run run = bare_run;
	run.metrics = (struct metric_list){&metric, 1};
	run.params = (struct key_value_list){&param, 1};
	run.tags = (struct key_value_list){&tag, 1};
	run.inputs = (struct dataset_input_list){inputs, 2};
	run.model_inputs = (struct model_input_list){&model_id, 1};
	run.model_outputs = (struct model_output_list){&output, 1};
	struct buffer out;
	struct json_writer w;
	begin(&out, &w);
	entity_json_run(&w, &run);
	check(&out, "{\"info\":" INFO_RUNNING ",\"data\":{"
		    "\"metrics\":[{\"key\":\"m\",\"value\":0.0,\"timestamp\":0,\"step\":0}],"
		    "\"params\":[{\"key\":\"p\",\"value\":\"1\"}],\"tags\":[{\"key\":\"t\","
		    "\"value\":\"2\"}]},"
		    "\"inputs\":{\"dataset_inputs\":[{\"tags\":[{\"key\":\"t\",\"value\":\"2\"}],"
		    "\"dataset\":"
		    "{\"name\":\"d\",\"digest\":\"x\",\"source_type\":\"local\",\"source\":\"s\"}},"
		    "{\"dataset\":{\"name\":\"e\",\"digest\":\"y\",\"source_type\":\"local\","
		    "\"source\":\"s\","
		    "\"schema\":\"{}\",\"profile\":\"\"}}],"
		    "\"model_inputs\":[{\"model_id\":\"m-1\"}]},"
		    "\"outputs\":{\"model_outputs\":[{\"model_id\":\"m-2\",\"step\":0}]}}");
}

static void values_beyond_numbers_have_their_wire_form(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{(double)NAN, "\"NaN\""},
		{(double)INFINITY, "1.7976931348623157e+308"},
		{-(double)INFINITY, "-1.7976931348623157e+308"},
		{0.1, "0.1"},
		{-0.5, "-0.5"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out;
		struct json_writer w;
		begin(&out, &w);
		entity_json_metric_value(&w, rows[i].value);
		check(&out, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_experiment_has_its_number_as_text),
		cmocka_unit_test(a_bare_run_has_data_and_inputs_without_lists),
		cmocka_unit_test(an_ended_run_has_its_end_time),
		cmocka_unit_test(a_full_run_has_every_list),
		cmocka_unit_test(values_beyond_numbers_have_their_wire_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
