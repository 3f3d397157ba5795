/* How webhooks' enumerations are called on the wire: tables for fields and replies. */
#ifndef API_WEBHOOK_NAMES_H
#define API_WEBHOOK_NAMES_H

#include "api/fields.h"

extern const struct field_enum webhook_entity_enum[];
extern const struct field_enum webhook_action_enum[];
extern const struct field_enum webhook_status_enum[];

enum { WEBHOOK_ACTIVE = 1, WEBHOOK_DISABLED = 2 };

/* The name of a number that is in the table. */
const char *webhook_enum_name(const struct field_enum *names, int64_t number);

#endif
