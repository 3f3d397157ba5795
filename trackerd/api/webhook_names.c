/* Owns the names of entities, actions and statuses on the wire. */
#include "api/webhook_names.h"

#include "store/webhook_events.h"

// clang-format off
const struct field_enum webhook_entity_enum[] = {
	{"REGISTERED_MODEL", WEBHOOK_REGISTERED_MODEL},
	{"MODEL_VERSION", WEBHOOK_MODEL_VERSION},
	{"MODEL_VERSION_TAG", WEBHOOK_MODEL_VERSION_TAG},
	{"MODEL_VERSION_ALIAS", WEBHOOK_MODEL_VERSION_ALIAS},
	{"PROMPT", WEBHOOK_PROMPT},
	{"PROMPT_VERSION", WEBHOOK_PROMPT_VERSION},
	{"PROMPT_TAG", WEBHOOK_PROMPT_TAG},
	{"PROMPT_VERSION_TAG", WEBHOOK_PROMPT_VERSION_TAG},
	{"PROMPT_ALIAS", WEBHOOK_PROMPT_ALIAS},
	{"BUDGET_POLICY", WEBHOOK_BUDGET_POLICY},
	{NULL, 0},
};
const struct field_enum webhook_action_enum[] = {
	{"CREATED", WEBHOOK_CREATED},
	{"UPDATED", WEBHOOK_UPDATED},
	{"DELETED", WEBHOOK_DELETED},
	{"SET", WEBHOOK_SET},
	{"EXCEEDED", WEBHOOK_EXCEEDED},
	{NULL, 0},
};
const struct field_enum webhook_status_enum[] = {
	{"ACTIVE", WEBHOOK_ACTIVE},
	{"DISABLED", WEBHOOK_DISABLED},
	{NULL, 0},
};
// clang-format on

const char *webhook_enum_name(const struct field_enum *names, int64_t number)
{
	for (; names->name != NULL; names++) {
		if (names->number == number)
			return names->name;
	}
	UNREACHABLE("a number without a name");
}
