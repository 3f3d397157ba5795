/* Owns the switch that makes driver calls fail in tests; the driver asks it before each call. */
#include "db/db_faulty.h"

#include "db/db_sqlite_internal.h"

void db_faulty_set(struct db *db, unsigned countdown, enum error_code code)
{
	db->fault = (struct db_fault){.countdown = countdown, .code = code};
}

bool db_faulty_fired(const struct db *db)
{
	return db->fault.fired;
}
