/* Owns the reading of trips: lines, columns, times, and what counts as a trip. */
#include "trips.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LINE_BYTES_MAX = 4096, COLUMNS_MAX = 64 };

enum column { PICKUP_TIME, DROPOFF_TIME, PICKUP_ZONE, DROPOFF_ZONE, DISTANCE, COLUMN_COUNT };
static const char *const column_names[COLUMN_COUNT] = {"lpep_pickup_datetime",
						       "lpep_dropoff_datetime", "PULocationID",
						       "DOLocationID", "trip_distance"};

static bool fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(char *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(error, TRIPS_ERROR_BYTES, format, arguments); /* cutting is fine */
	va_end(arguments);
	return false;
}

/* ---- times -------------------------------------------------------------------------------------- */

/* Days since 1970-01-01; the year begins in March, so that the leap day is its last. */
static long long days_from_civil(int year, int month, int day)
{
	long long y = month <= 2 ? year - 1 : year;
	long long era = (y >= 0 ? y : y - 399) / 400;
	long long year_of_era = y - era * 400;
	long long day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static bool digits(const char *text, int count, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (text[i] - '0');
	}
	return true;
}

bool trips_parse_time(const char *text, long long *seconds_out)
{
	static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, hour, minute, second;
	bool has_form =
		strlen(text) == 19 && digits(text, 4, &year) && text[4] == '-' &&
		digits(text + 5, 2, &month) && text[7] == '-' && digits(text + 8, 2, &day) &&
		text[10] == ' ' && digits(text + 11, 2, &hour) && text[13] == ':' &&
		digits(text + 14, 2, &minute) && text[16] == ':' && digits(text + 17, 2, &second);
	if (!has_form || month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
	    hour > 23 || minute > 59 || second > 59)
		return false;
	*seconds_out =
		days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

/* ---- fields ------------------------------------------------------------------------------------- */

/* Cuts the line at its commas, in place; TLC files have no quotes. */
static int split(char *line, char *fields[COLUMNS_MAX])
{
	int count = 0;
	line[strcspn(line, "\r\n")] = '\0';
	for (char *rest = line; rest != NULL && count < COLUMNS_MAX; count++)
		fields[count] = strsep(&rest, ",");
	return count;
}

static bool parse_zone(const char *text, int *out)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	/* Files converted from Parquet may say "43.0". */
	if (end == text || (*end != '\0' && strcmp(end, ".0") != 0) || errno != 0 || value < 0 ||
	    value > TRIP_ZONE_MAX)
		return false;
	*out = (int)value;
	return true;
}

static bool parse_distance(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return end != text && *end == '\0' && *out >= 0 && *out < 1e6;
}

static void add_row(struct trips *trips, char *const fields[COLUMN_COUNT])
{
	struct trip trip;
	long long pickup, dropoff;
	for (int c = 0; c < COLUMN_COUNT; c++) {
		if (fields[c][0] == '\0') {
			trips->missing++;
			return;
		}
	}
	if (!trips_parse_time(fields[PICKUP_TIME], &pickup) ||
	    !trips_parse_time(fields[DROPOFF_TIME], &dropoff) ||
	    !parse_zone(fields[PICKUP_ZONE], &trip.pickup_id) ||
	    !parse_zone(fields[DROPOFF_ZONE], &trip.dropoff_id) ||
	    !parse_distance(fields[DISTANCE], &trip.distance)) {
		trips->bad++;
		return;
	}
	trip.minutes = (double)(dropoff - pickup) / 60.0;
	if (trip.minutes < 1 || trip.minutes > 60) {
		trips->too_short_or_long++;
		return;
	}
	trips->items[trips->count++] = trip;
}

/* ---- the file ----------------------------------------------------------------------------------- */

struct header {
	int column_count;
	int places[COLUMN_COUNT];
};

static bool read_header(const char *path, char *line, struct header *header, char *error)
{
	char *fields[COLUMNS_MAX];
	header->column_count = split(line, fields);
	for (int c = 0; c < COLUMN_COUNT; c++) {
		header->places[c] = -1;
		for (int i = 0; i < header->column_count; i++) {
			if (strcmp(fields[i], column_names[c]) == 0)
				header->places[c] = i;
		}
		if (header->places[c] < 0)
			return fail(error, "%s has no column %s; is it a TLC green taxi file?",
				    path, column_names[c]);
	}
	return true;
}

static bool make_room(struct trips *trips, char *error)
{
	if (trips->count < trips->capacity)
		return true;
	size_t capacity = trips->capacity == 0 ? 65536 : trips->capacity * 2;
	struct trip *items = realloc(trips->items, capacity * sizeof(*items));
	if (items == NULL)
		return fail(error, "out of memory");
	trips->items = items;
	trips->capacity = capacity;
	return true;
}

static bool read_rows(gzFile file, const struct header *header, struct trips *trips, char *error)
{
	char line[LINE_BYTES_MAX];
	while (gzgets(file, line, sizeof(line)) != NULL) {
		char *fields[COLUMNS_MAX], *needed[COLUMN_COUNT];
		if (!make_room(trips, error))
			return false;
		trips->rows++;
		if (split(line, fields) != header->column_count) {
			trips->bad++;
			continue;
		}
		for (int c = 0; c < COLUMN_COUNT; c++)
			needed[c] = fields[header->places[c]];
		add_row(trips, needed);
	}
	return true;
}

static bool read_file(const char *path, gzFile file, struct trips *trips, char *error)
{
	char line[LINE_BYTES_MAX];
	struct header header;
	int code;
	if (gzgets(file, line, sizeof(line)) == NULL)
		return fail(error, "%s is empty or cannot be read", path);
	if (!read_header(path, line, &header, error) || !read_rows(file, &header, trips, error))
		return false;
	const char *message = gzerror(file, &code);
	if (code != Z_OK && code != Z_STREAM_END)
		return fail(error, "%s is damaged: %s", path, message);
	if (trips->count == 0)
		return fail(error, "%s has no trip of 1 to 60 minutes", path);
	return true;
}

bool trips_read(const char *path, struct trips *trips, char error[TRIPS_ERROR_BYTES])
{
	memset(trips, 0, sizeof(*trips));
	gzFile file = gzopen(path, "rbe");
	if (file == NULL)
		return fail(error, "cannot read %s: %s", path, strerror(errno));
	(void)gzbuffer(file, 1 << 17); /* only slower without */
	bool ok = read_file(path, file, trips, error);
	(void)gzclose(file); /* opened for reading */
	if (!ok)
		trips_free(trips);
	return ok;
}

void trips_free(struct trips *trips)
{
	free(trips->items);
	trips->items = NULL;
	trips->count = trips->capacity = 0;
}
