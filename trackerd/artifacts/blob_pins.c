/* Owns the set of blobs that requests under way need. */
#include "artifacts/blob_pins.h"

#include "base/assert.h"

void blob_pins_init(struct blob_pins *pins)
{
	int failed = pthread_mutex_init(&pins->mutex, NULL);
	ASSERT(failed == 0);
	pins->first_or_null = NULL;
}

void blob_pins_deinit(struct blob_pins *pins)
{
	ASSERT(pins->first_or_null == NULL);
	(void)pthread_mutex_destroy(&pins->mutex); /* fails only for a locked one */
}

static void lock(struct blob_pins *pins)
{
	int failed = pthread_mutex_lock(&pins->mutex);
	ASSERT(failed == 0);
}

static void unlock(struct blob_pins *pins)
{
	int failed = pthread_mutex_unlock(&pins->mutex);
	ASSERT(failed == 0);
}

static void unlink_pin(struct blob_pins *pins, struct blob_pin *pin)
{
	if (pin->previous_or_null != NULL)
		pin->previous_or_null->next_or_null = pin->next_or_null;
	else
		pins->first_or_null = pin->next_or_null;
	if (pin->next_or_null != NULL)
		pin->next_or_null->previous_or_null = pin->previous_or_null;
}

/* Replaces what the pin says; links it first if need be. */
static void hold(struct blob_pins *pins, struct blob_pin *pin, struct blob_pin what)
{
	lock(pins);
	ASSERT(pin->set_or_null == NULL || pin->set_or_null == pins);
	if (pin->set_or_null != NULL)
		unlink_pin(pins, pin);
	*pin = what;
	pin->set_or_null = pins;
	pin->previous_or_null = NULL;
	pin->next_or_null = pins->first_or_null;
	if (pins->first_or_null != NULL)
		pins->first_or_null->previous_or_null = pin;
	pins->first_or_null = pin;
	unlock(pins);
}

void blob_pins_hold_all(struct blob_pins *pins, struct blob_pin *pin)
{
	hold(pins, pin, (struct blob_pin){.is_all = true});
}

void blob_pins_hold_two(struct blob_pins *pins, struct blob_pin *pin, int64_t blob_pk,
			int64_t other_pk)
{
	hold(pins, pin, (struct blob_pin){.few = {blob_pk, other_pk}});
}

void blob_pins_hold_many(struct blob_pins *pins, struct blob_pin *pin, const int64_t *sorted_pks,
			 size_t count)
{
	hold(pins, pin, (struct blob_pin){.many_or_null = sorted_pks, .many_count = count});
}

void blob_pins_drop(struct blob_pin *pin)
{
	struct blob_pins *pins = pin->set_or_null;
	if (pins == NULL)
		return;
	lock(pins);
	unlink_pin(pins, pin);
	unlock(pins);
	*pin = (struct blob_pin){0};
}

static bool pin_holds(const struct blob_pin *pin, int64_t blob_pk)
{
	if (pin->is_all || pin->few[0] == blob_pk || pin->few[1] == blob_pk)
		return true;
	size_t low = 0, high = pin->many_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (pin->many_or_null[middle] < blob_pk)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pin->many_count && pin->many_or_null[low] == blob_pk;
}

bool blob_pins_holds(struct blob_pins *pins, int64_t blob_pk)
{
	bool holds = false;
	lock(pins);
	for (const struct blob_pin *pin = pins->first_or_null; pin != NULL && !holds;
	     pin = pin->next_or_null)
		holds = pin_holds(pin, blob_pk);
	unlock(pins);
	return holds;
}
