/* Which blobs are in use by requests under way, so that the sweep (blob_sweep.h) leaves them alone.
 *
 * An artifact row is what keeps a blob alive. Two kinds of request use a blob that may have no
 * row at the moment: an upload between storing (or finding) its blob and committing its row, and
 * a download whose artifact is deleted meanwhile. Each holds a pin for that time.
 *
 * A pin names one or two blobs, or a sorted array, or all blobs for the short time in which a
 * download finds out which ones it needs. Pins live in their owner; the set links them. All
 * functions are thread-safe. */
#ifndef ARTIFACTS_BLOB_PINS_H
#define ARTIFACTS_BLOB_PINS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob_pin {
	struct blob_pins
		*set_or_null; /* the set that links this pin; under its mutex, as all below */
	struct blob_pin *next_or_null;
	struct blob_pin *previous_or_null;
	bool is_all;
	int64_t few[2];		     /* 0 = none */
	const int64_t *many_or_null; /* sorted; borrowed until dropped */
	size_t many_count;
};

struct blob_pins {
	pthread_mutex_t mutex;
	struct blob_pin *first_or_null;
};

void blob_pins_init(struct blob_pins *pins);
/* No pin may be left. */
void blob_pins_deinit(struct blob_pins *pins);
/* Each makes `pin` (zeroed at birth) say exactly this, whatever it said before. Pk 0 stands for
 * none. */
void blob_pins_hold_all(struct blob_pins *pins, struct blob_pin *pin);
void blob_pins_hold_two(struct blob_pins *pins, struct blob_pin *pin, int64_t blob_pk,
			int64_t other_pk);
void blob_pins_hold_many(struct blob_pins *pins, struct blob_pin *pin, const int64_t *sorted_pks,
			 size_t count);
/* Holds nothing any more; the pin may be freed. Also for a pin that never held anything. */
void blob_pins_drop(struct blob_pin *pin);
bool blob_pins_holds(struct blob_pins *pins, int64_t blob_pk);

#endif
