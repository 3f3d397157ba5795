/* Taxi trips from the TLC's monthly CSV files (New York City Taxi & Limousine Commission, Trip Record Data). */
#ifndef TAXI_TRIPS_H
#define TAXI_TRIPS_H

#include <stdbool.h>
#include <stddef.h>

struct trip {
	int pickup_id, dropoff_id; /* TLC zones, 0..TRIP_ZONE_MAX */
	double distance;	   /* miles */
	double minutes;		   /* dropoff − pickup */
};

enum { TRIP_ZONE_MAX = 9999, TRIPS_ERROR_BYTES = 512 };

struct trips {
	struct trip *items;
	size_t count;
	size_t capacity;
	/* How the rows of the file came out; their sum is `rows`. */
	size_t rows;
	size_t too_short_or_long; /* outside 1 to 60 minutes, both inclusive */
	size_t missing;		  /* an empty field that is needed */
	size_t bad; /* not the columns of the header, or not a number, or not a date */
};

/* Reads `path`, plain or gzip. Columns are found by the names in the header, in any order; others are ignored. Fails
 * with a sentence in `error`: no such file, a needed column is missing, no trips at all. Gives trips->items; free with
 * trips_free. */
bool trips_read(const char *path, struct trips *trips, char error[TRIPS_ERROR_BYTES]);
void trips_free(struct trips *trips);

/* "2021-01-31 23:59:59" → seconds since 1970 in the proleptic Gregorian calendar; false for anything else. Pure. */
bool trips_parse_time(const char *text, long long *seconds_out);

#endif
