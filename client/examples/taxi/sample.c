/* taxi-sample: makes up three months of trips with the TLC's columns, the same ones every time, for trying things out
 * where the real files are not at hand. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TRIPS_A_MONTH = 20000, ZONES = 60 };

/* splitmix64 (S. Vigna): small, good enough to make up trips, and the same on every machine. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15U);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
	return (double)(next(state) >> 11) / 9007199254740992.0;
}

/* Zones lie on a grid of 8 columns; near ones are more likely. Minutes grow with distance, and differ by pair. */
static void write_trip(FILE *file, int month, uint64_t *state)
{
	int pickup = (int)(next(state) % ZONES);
	int dropoff = uniform(state) < 0.6 ? (pickup + (int)(next(state) % 5)) % ZONES
					   : (int)(next(state) % ZONES);
	double dx = pickup % 8 - dropoff % 8, dy = (double)(pickup / 8) - (double)(dropoff / 8);
	double distance = 0.4 + sqrt(dx * dx + dy * dy) * 1.1 + uniform(state) * 0.6;
	double pair_effect = (double)((pickup * 31 + dropoff * 17) % 11) - 5;
	double minutes =
		4 + 3.1 * distance + 0.8 * pair_effect + (uniform(state) + uniform(state) - 1) * 6;
	int seconds = (int)((minutes < 0.5 ? 0.5 : minutes) * 60);
	int day = 1 + (int)(next(state) % 28), begin = (int)(next(state) % (22 * 3600)),
	    end = begin + seconds;
	(void)fprintf(file,
		      "2,2021-%02d-%02d %02d:%02d:%02d,2021-%02d-%02d "
		      "%02d:%02d:%02d,N,1,%d,%d,1,%.2f,%.1f,0.5,0.5,0,0,,"
		      "0.3,%.1f,2,1,0\n",
		      month, day, begin / 3600, begin / 60 % 60, begin % 60, month, day, end / 3600,
		      end / 60 % 60, end % 60, pickup, dropoff, distance, 2.5 + distance * 2.5,
		      3.8 + distance * 2.5);
}

static int write_month(const char *directory, int month)
{
	char path[4096];
	uint64_t state = 20210000U + (uint64_t)month;
	(void)snprintf(path, sizeof(path), "%s/green_tripdata_2021-%02d.csv", directory, month);
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		(void)fprintf(stderr, "taxi-sample: cannot write %s: %s\n", path, strerror(errno));
		return 1;
	}
	(void)fprintf(
		file,
		"VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,"
		"PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,"
		"tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,"
		"trip_type,congestion_surcharge\n");
	for (int i = 0; i < TRIPS_A_MONTH; i++)
		write_trip(file, month, &state);
	int failed = ferror(file) != 0;
	if (fclose(file) != 0 || failed) {
		(void)fprintf(stderr, "taxi-sample: cannot write %s: %s\n", path, strerror(errno));
		return 1;
	}
	printf("%s: %d trips\n", path, TRIPS_A_MONTH);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-') {
		(void)fprintf(argc == 2 ? stdout : stderr,
			      "Usage: taxi-sample DIR\n\n"
			      "Writes made-up trips of January, February and March 2021 to DIR, in "
			      "the columns of the\n"
			      "TLC's green taxi files. Every call writes the same bytes.\n");
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	if (mkdir(argv[1], 0755) != 0 && errno != EEXIST) {
		(void)fprintf(stderr, "taxi-sample: cannot make %s: %s\n", argv[1],
			      strerror(errno));
		return 1;
	}
	for (int month = 1; month <= 3; month++) {
		if (write_month(argv[1], month) != 0)
			return 1;
	}
	return 0;
}
