/* Owns what all sources of an import share: which one a location names, and the lists that items hold. */
#include "cli/import_source.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

/* "sqlite:///relative.db", "sqlite:////absolute.db": what is behind the three slashes. */
static const char *without_sqlite_scheme(const char *location)
{
	static const char scheme[] = "sqlite:///";
	return strncmp(location, scheme, strlen(scheme)) == 0 ? location + strlen(scheme)
							      : location;
}

static bool is_address(const char *location)
{
	return strncmp(location, "http://", 7) == 0 || strncmp(location, "https://", 8) == 0;
}

bool import_source_open(const struct import_source_options *options, struct import_source **out,
			struct error *err)
{
	struct import_source_options o = *options;
	struct stat info;
	if (is_address(o.location))
		return server_source_open(&o, out, err);
	o.location = without_sqlite_scheme(o.location);
	if (strncmp(o.location, "file:", 5) == 0)
		o.location += strncmp(o.location, "file://", 7) == 0 ? 7 : 5;
	if (strstr(o.location, "://") != NULL)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"%s is a database of another kind: start \"mlflow server\" on it and "
			"import from its address",
			o.location);
	if (stat(o.location, &info) != 0)
		return cli_fail_file(err, "read", o.location);
	if (S_ISDIR(info.st_mode))
		return mlruns_source_open(&o, out, err);
	return sqlite_source_open(&o, out, err);
}

void import_source_close(struct import_source *source)
{
	if (source != NULL)
		source->ops->close(source);
}

/* Room for one more item in a list that doubles: capacities are the powers of two. */
static void *grown(void *items, size_t count, size_t item_bytes, struct arena *arena)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	void *larger = arena_alloc(arena, count == 0 ? 1 : 2 * count, item_bytes);
	if (count > 0)
		memcpy(larger, items, count * item_bytes);
	return larger;
}

void import_pairs_add(struct import_pairs *list, struct slice key, struct slice value,
		      struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = (struct import_pair){key, value};
}

void import_datasets_add(struct import_datasets *list, struct import_dataset dataset,
			 struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = dataset;
}

void import_model_links_add(struct import_model_links *list, struct import_model_link link,
			    struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = link;
}

void import_model_metrics_add(struct import_model_metrics *list, struct import_model_metric metric,
			      struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = metric;
}

void import_aliases_add(struct import_aliases *list, struct import_alias alias, struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = alias;
}
