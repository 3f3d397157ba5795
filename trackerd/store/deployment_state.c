/* Owns the table of what may become what. */
#include "store/deployment_state.h"

#include "base/assert.h"

#define BIT(state) (1U << DEPLOYMENT_##state)
#define REPORTED   (BIT(DEPLOYING) | BIT(ACTIVE) | BIT(ROLLED_BACK) | BIT(FAILED))
#define PRESENT	   (REPORTED | BIT(STALE) | BIT(FORGOTTEN))

static const struct {
	const char *name;
	unsigned next; /* bits of those that may follow */
} states[DEPLOYMENT_STATES] = {
	[DEPLOYMENT_UNKNOWN] = {"unknown", REPORTED},
	[DEPLOYMENT_DEPLOYING] = {"deploying", PRESENT},
	[DEPLOYMENT_ACTIVE] = {"active", PRESENT},
	[DEPLOYMENT_ROLLED_BACK] = {"rolled_back", PRESENT},
	[DEPLOYMENT_FAILED] = {"failed", PRESENT},
	[DEPLOYMENT_STALE] = {"stale", REPORTED | BIT(FORGOTTEN)},
	/* Who reports again under that id is known again. */
	[DEPLOYMENT_FORGOTTEN] = {"forgotten", REPORTED},
};

const char *deployment_state_name(enum deployment_state state)
{
	ASSERT(state < DEPLOYMENT_STATES);
	return states[state].name;
}

enum deployment_state deployment_state_from_name(struct slice name)
{
	for (unsigned state = DEPLOYMENT_DEPLOYING; state < DEPLOYMENT_STATES; state++) {
		if (slice_eq_cstr(name, states[state].name))
			return (enum deployment_state)state;
	}
	return DEPLOYMENT_UNKNOWN;
}

bool deployment_state_may_become(enum deployment_state from, enum deployment_state to)
{
	return (states[from].next & (1U << to)) != 0;
}
