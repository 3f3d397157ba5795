/* Writes small YAML documents byte for byte as PyYAML's safe dumper does, which is what MLflow's files
 * are made by: block style, lines folded at 80 columns, texts in quotes only where a plain word
 * would read as something else.
 *
 * A document is one mapping; whoever writes it gives the keys in ascending order of their bytes.
 * Failures are kept and told by yaml_writer_end. One thread. */
#ifndef CLI_YAML_WRITER_H
#define CLI_YAML_WRITER_H

#include <stdint.h>

#include "base/buffer.h"

struct yaml_writer;

/* Gives *out; yaml_writer_free. */
MUST_CHECK bool yaml_writer_new(struct yaml_writer **out, struct error *err);
void yaml_writer_free(struct yaml_writer *w_or_null);

/* Begins a document, whatever became of the one before. */
void yaml_writer_begin(struct yaml_writer *w);
/* Ends it; *text_out is the document until the next begin. Fails for texts that are not UTF-8. */
MUST_CHECK bool yaml_writer_end(struct yaml_writer *w, struct slice *text_out, struct error *err);

void yaml_put_string(struct yaml_writer *w, const char *key, struct slice value_or_absent); /* absent: null */
void yaml_put_int(struct yaml_writer *w, const char *key, int64_t value);
void yaml_put_null(struct yaml_writer *w, const char *key);
/* An empty list: "key: []". */
void yaml_put_empty_list(struct yaml_writer *w, const char *key);
/* A mapping of texts below a key; an empty one is "key: {}". Items in between by yaml_put_pair. */
void yaml_map_begin(struct yaml_writer *w, const char *key, bool is_empty);
void yaml_put_pair(struct yaml_writer *w, struct slice key, struct slice value);
void yaml_map_end(struct yaml_writer *w);

#endif
