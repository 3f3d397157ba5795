/* Owns the making of random identifiers and names. */
#include "base/random_id.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/assert.h"

// clang-format off
static const char *const adjectives[] = {
	"able",    "amber",   "ancient", "apt",     "azure",   "blithe",  "bold",    "brave",
	"bright",  "brisk",   "calm",    "candid",  "casual",  "charming", "clever", "coral",
	"cosmic",  "crisp",   "curious", "dapper",  "daring",  "deft",    "eager",   "earnest",
	"elated",  "fair",    "fancy",   "fearless", "fleet",  "fond",    "frank",   "gentle",
	"gifted",  "glad",    "golden",  "grand",   "happy",   "hardy",   "honest",  "humble",
	"jolly",   "keen",    "kind",    "lively",  "loud",    "lucid",   "lucky",   "mellow",
	"merry",   "mighty",  "modest",  "neat",    "nimble",  "noble",   "patient", "placid",
	"polite",  "proud",   "quiet",   "rapid",   "rare",    "serene",  "sharp",   "silent",
	"sincere", "sleek",   "smooth",  "snowy",   "spry",    "steady",  "stoic",   "subtle",
	"swift",   "tidy",    "upbeat",  "vivid",   "warm",    "wise",    "witty",   "zesty",
};

static const char *const nouns[] = {
	"acorn",  "badger", "beetle", "birch",   "bison",   "brook",  "canyon", "carp",
	"cedar",  "cliff",  "cloud",  "condor",  "crane",   "cricket", "dolphin", "dune",
	"eagle",  "elk",    "falcon", "fern",    "finch",   "fjord",  "fox",    "gecko",
	"geyser", "glade",  "goose",  "grove",   "gull",    "hare",   "hawk",   "heron",
	"hill",   "ibex",   "island", "jackal",  "jay",     "kestrel", "koala", "lagoon",
	"lark",   "lemur",  "lynx",   "maple",   "marmot",  "marsh",  "meadow", "mink",
	"moose",  "moth",   "newt",   "oak",     "ocelot",  "orca",   "osprey", "otter",
	"owl",    "panda",  "pine",   "plover",  "puffin",  "quail",  "raven",  "reef",
	"river",  "robin",  "salmon", "seal",    "shrew",   "sparrow", "spruce", "stork",
	"swan",   "tapir",  "tern",   "trout",   "valley",  "walrus", "willow", "wren",
};
// clang-format on

void random_bytes(void *bytes, size_t count)
{
	char *at = bytes;
	while (count > 0) {
		ssize_t got = getrandom(at, count, 0);
		if (got < 0) {
			ASSERT(errno == EINTR);
			continue;
		}
		at += got;
		count -= (size_t)got;
	}
}

void random_id_hex(char id[RANDOM_ID_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[RANDOM_ID_HEX_LEN / 2];
	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[RANDOM_ID_HEX_LEN] = '\0';
}

void random_uuid(char uuid[RANDOM_UUID_LEN + 1])
{
	char hex[RANDOM_ID_HEX_LEN + 1];
	random_id_hex(hex);
	hex[12] = '4';					/* version 4 … */
	hex[16] = "89ab"[slice_hex_digit(hex[16]) & 3]; /* … of the variant that the RFC defines */
	(void)snprintf(uuid, RANDOM_UUID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		       hex + 12, hex + 16, hex + 20);
}

uint64_t random_below(uint64_t bound)
{
	ASSERT(bound > 0);
	/* The lowest 2^64 mod bound values would make small results more likely: draw again. */
	uint64_t biased_below = (0 - bound) % bound;
	uint64_t value;
	do {
		random_bytes(&value, sizeof(value));
	} while (value < biased_below);
	return value % bound;
}

void random_run_name(char text[64])
{
	snprintf(text, 64, "%s-%s-%u", adjectives[random_below(ARRAY_COUNT(adjectives))],
		 nouns[random_below(ARRAY_COUNT(nouns))], (unsigned)random_below(1000));
}
