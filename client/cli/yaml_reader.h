/* Reads small YAML documents, as MLflow writes them, into the same tree as JSON: mappings are objects,
 * sequences arrays, plain words numbers, truth values and null where YAML 1.1 says so, all else texts.
 *
 * What a file of others could use against us is refused: anchors and aliases, tags other than the
 * standard ones, nesting beyond YAML_READER_DEPTH_MAX. Uses no state; thread-safe. */
#ifndef CLI_YAML_READER_H
#define CLI_YAML_READER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_scanner.h"

enum { YAML_READER_DEPTH_MAX = 32 };

/* The first document of the text; null for an empty text. *out lives in the arena. Fails with BAD_REQUEST that
 * names line and reason. Of a key that comes twice the first one wins. */
MUST_CHECK bool yaml_read(struct slice text, struct arena *arena, struct json_value **out,
			  struct error *err);

#endif
