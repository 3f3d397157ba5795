/* Owns how values look in the YAML files of a file store; knows libyaml's emitter. */
#include "cli/yaml_writer.h"

#include <inttypes.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { DOCUMENT_BYTES_MAX = 64 * 1024 * 1024 };

/* Plain words that YAML 1.1 reads as something other than text. */
static const char *const not_texts[] = {
	"^(yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$",
	"^[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+][0-9]+)?$",
	"^\\.[0-9][0-9_]*([eE][-+][0-9]+)?$",
	"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\\.[0-9_]*$",
	"^[-+]?\\.(inf|Inf|INF)$",
	"^\\.(nan|NaN|NAN)$",
	"^[-+]?0b[01_]+$",
	"^[-+]?0[0-7_]+$",
	"^[-+]?(0|[1-9][0-9_]*)$",
	"^[-+]?0x[0-9a-fA-F_]+$",
	"^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$",
	"^(<<|=|!|&|\\*|~|null|Null|NULL|)$",
	"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
	("^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]*)?"
	 "([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?$"),
};

struct yaml_writer {
	yaml_emitter_t emitter;
	bool has_emitter;
	struct buffer text;
	struct buffer word; /* that is being looked at, with a NUL */
	bool failed;
	regex_t patterns[ARRAY_COUNT(not_texts)];
	size_t pattern_count; /* compiled */
};

bool yaml_writer_new(struct yaml_writer **out, struct error *err)
{
	struct yaml_writer *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	buffer_init(&w->text, DOCUMENT_BYTES_MAX);
	buffer_init(&w->word, DOCUMENT_BYTES_MAX);
	for (; w->pattern_count < ARRAY_COUNT(not_texts); w->pattern_count++) {
		if (regcomp(&w->patterns[w->pattern_count], not_texts[w->pattern_count],
			    REG_EXTENDED | REG_NOSUB) != 0) {
			yaml_writer_free(w);
			return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
		}
	}
	*out = w;
	return true;
}

static void drop_emitter(struct yaml_writer *w)
{
	if (w->has_emitter)
		yaml_emitter_delete(&w->emitter);
	w->has_emitter = false;
}

void yaml_writer_free(struct yaml_writer *w)
{
	if (w == NULL)
		return;
	drop_emitter(w);
	while (w->pattern_count > 0)
		regfree(&w->patterns[--w->pattern_count]);
	buffer_deinit(&w->text);
	buffer_deinit(&w->word);
	free(w);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Takes the event, which libyaml made if `made`. */
static void emit(struct yaml_writer *w, yaml_event_t *event, int made)
{
	if (w->failed) {
		if (made != 0)
			yaml_event_delete(event);
		return;
	}
	w->failed = made == 0 || yaml_emitter_emit(&w->emitter, event) == 0;
}

static int append(void *context, unsigned char *bytes, size_t count)
{
	struct yaml_writer *w = context;
	buffer_append(&w->text, slice_make((const char *)bytes, count));
	return w->text.failed ? 0 : 1;
}

void yaml_writer_begin(struct yaml_writer *w)
{
	yaml_event_t event;
	drop_emitter(w);
	buffer_reset(&w->text);
	w->has_emitter = yaml_emitter_initialize(&w->emitter) != 0;
	w->failed = !w->has_emitter;
	if (w->failed)
		return;
	yaml_emitter_set_output(&w->emitter, append, w);
	yaml_emitter_set_unicode(&w->emitter, 1);
	emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	emit(w, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

bool yaml_writer_end(struct yaml_writer *w, struct slice *text_out, struct error *err)
{
	yaml_event_t event;
	emit(w, &event, yaml_mapping_end_event_initialize(&event));
	emit(w, &event, yaml_document_end_event_initialize(&event, 1));
	emit(w, &event, yaml_stream_end_event_initialize(&event));
	if (w->failed)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "a text in it cannot be written as YAML");
	*text_out = buffer_slice(&w->text);
	return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Would the plain word be read as a number, a date, a truth value or nothing? */
static bool is_other_than_text(struct yaml_writer *w, struct slice value)
{
	static const char first_letters[] = "yYnNtTfFoO-+.0123456789<=!&*~";
	if (value.len > 0 && memchr(first_letters, value.ptr[0], sizeof(first_letters) - 1) == NULL)
		return false;
	buffer_reset(&w->word);
	buffer_append(&w->word, value);
	buffer_append_byte(&w->word, '\0');
	w->failed = w->failed || w->word.failed;
	for (size_t i = 0; i < w->pattern_count && !w->failed; i++) {
		if (regexec(&w->patterns[i], w->word.ptr_or_null, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

static void put_scalar(struct yaml_writer *w, struct slice value, bool is_plain)
{
	yaml_event_t event;
	/* The library copies the value. */
	emit(w, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)value.ptr,
					  (int)value.len, is_plain ? 1 : 0, 1,
					  YAML_PLAIN_SCALAR_STYLE));
}

static void put_text(struct yaml_writer *w, struct slice text)
{
	struct slice value = text.len == 0 ? SLICE("") : text; /* libyaml wants a pointer */
	w->failed = w->failed || value.len > INT_MAX;
	bool is_plain = !w->failed && !is_other_than_text(w, value);
	if (!w->failed)
		put_scalar(w, value, is_plain);
}

void yaml_put_string(struct yaml_writer *w, const char *key, struct slice value)
{
	if (!slice_is_present(value)) {
		yaml_put_null(w, key);
		return;
	}
	put_text(w, slice_from_cstr(key));
	put_text(w, value);
}

void yaml_put_int(struct yaml_writer *w, const char *key, int64_t value)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	put_text(w, slice_from_cstr(key));
	put_scalar(w, slice_from_cstr(text), true);
}

void yaml_put_null(struct yaml_writer *w, const char *key)
{
	put_text(w, slice_from_cstr(key));
	put_scalar(w, SLICE("null"), true);
}

void yaml_put_empty_list(struct yaml_writer *w, const char *key)
{
	yaml_event_t event;
	put_text(w, slice_from_cstr(key));
	emit(w, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE));
	emit(w, &event, yaml_sequence_end_event_initialize(&event));
}

void yaml_map_begin(struct yaml_writer *w, const char *key, bool is_empty)
{
	yaml_event_t event;
	put_text(w, slice_from_cstr(key));
	emit(w, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						 is_empty ? YAML_FLOW_MAPPING_STYLE
							  : YAML_BLOCK_MAPPING_STYLE));
}

void yaml_put_pair(struct yaml_writer *w, struct slice key, struct slice value)
{
	put_text(w, key);
	put_text(w, value);
}

void yaml_map_end(struct yaml_writer *w)
{
	yaml_event_t event;
	emit(w, &event, yaml_mapping_end_event_initialize(&event));
}
