/* Owns the reading of metric files: a line a point, a block at a time. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mlruns.h"
#include "src/sha256.h"

/* ---- lines ----------------------------------------------------------------------------------- */

bool mlruns_curve_open(struct mlruns_curve *c, struct import_files *files, struct slice key)
{
	*c = (struct mlruns_curve){
		.fd = import_files_open_file(files), .key = key, .block = c->block};
	return c->fd >= 0;
}

void mlruns_curve_bad(struct mlruns_curve *c)
{
	if (c->bad_count == 0)
		c->first_bad_line = c->line;
	c->bad_count++;
}

/* Moves what is left to the front and reads behind it. */
static void fill(struct mlruns_curve *c)
{
	memmove(c->block, c->block + c->from, c->to - c->from);
	c->to -= c->from;
	c->from = 0;
	ssize_t got = read(c->fd, c->block + c->to, MLRUNS_BLOCK_BYTES - c->to);
	if (got < 0 && errno == EINTR)
		return;
	if (got <= 0)
		c->is_end = true;
	else
		c->to += (size_t)got;
	if (got < 0) { /* what is behind cannot be read */
		c->line++;
		mlruns_curve_bad(c);
	}
}

struct slice mlruns_curve_line(struct mlruns_curve *c)
{
	bool is_too_long = false;
	for (;;) {
		const char *begin = c->block + c->from;
		const char *newline = memchr(begin, '\n', c->to - c->from);
		if (newline != NULL) {
			c->from = (size_t)(newline + 1 - c->block);
			c->line++;
			if (!is_too_long)
				return slice_make(begin, (size_t)(newline - begin));
			mlruns_curve_bad(c);
			is_too_long = false;
			continue;
		}
		if (c->is_end)
			break;
		if (c->from == 0 && c->to == MLRUNS_BLOCK_BYTES) {
			is_too_long = true;
			c->to = 0;
		}
		fill(c);
	}
	/* MLflow ends each line: what has no end was cut off, and its last number may be, too. */
	if (c->to > c->from || is_too_long) {
		c->line++;
		mlruns_curve_bad(c);
		c->from = c->to = 0;
	}
	return (struct slice){0};
}

/* As Python writes a float, or as others do. */
static bool parse_value(struct slice text, double *out)
{
	static const struct {
		const char *python, *wire;
	} names[] = {{"inf", "Infinity"}, {"+inf", "Infinity"}, {"-inf", "-Infinity"}};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_eq_ignoring_case(text, slice_from_cstr(names[i].python)))
			text = slice_from_cstr(names[i].wire);
	}
	return slice_parse_double(text, out);
}

bool mlruns_parse_point(struct slice line, struct import_point *out, struct slice *rest_out)
{
	struct slice rest = slice_trim(line), timestamp, value, step;
	*out = (struct import_point){.key = out->key};
	if (!slice_next(&rest, ' ', &timestamp) ||
	    !slice_parse_i64(timestamp, &out->timestamp_ms) || !slice_next(&rest, ' ', &value) ||
	    !parse_value(value, &out->value))
		return false;
	/* The first releases knew no steps. */
	if (slice_next(&rest, ' ', &step) && !slice_parse_i64(step, &out->step))
		return false;
	*rest_out = rest;
	return true;
}

void mlruns_curve_close(struct mlruns *m, struct mlruns_curve *c)
{
	char name[MLRUNS_PATH_BYTES_MAX + IMPORT_FILES_PATH_BYTES_MAX];
	if (c->fd < 0)
		return;
	(void)close(c->fd); /* only read */
	c->fd = -1;
	(void)snprintf(name, sizeof(name), "%s/%.*s", m->metrics_folder, SLICE_FMT(c->key));
	if (c->bad_count > 0)
		mlruns_tell(m, "metric", name,
			    "%" PRId64 " of its %" PRId64 " lines hold no point, or only a part of "
			    "one; the first is line %" PRId64,
			    c->bad_count, c->line, c->first_bad_line);
	else if (c->point_count == 0)
		mlruns_tell(m, "metric", name, "it holds no points");
}

/* ---- points of a run ------------------------------------------------------------------------- */

void mlruns_metrics_open(struct mlruns *m, struct arena *arena)
{
	if (mlruns_join(m, m->metrics_folder, m->owner, "metrics") &&
	    mlruns_has_folder(m, m->metrics_folder, "metric"))
		import_files_open_as(&m->metrics, m->base.report, "metric", m->metrics_folder,
				     mlruns_path(m, m->metrics_folder, arena));
}

/* Opens the next file; false when there is none. */
static bool next_curve(struct mlruns *m, struct arena *arena)
{
	struct import_artifact file;
	if (!m->has_metrics)
		mlruns_metrics_open(m, arena);
	m->has_metrics = true;
	while (import_files_next(&m->metrics, arena, &file)) {
		struct slice key = slice_make(m->metrics.path, m->metrics.path_len);
		if (mlruns_curve_open(&m->curve, &m->metrics, key))
			return true;
	}
	return false;
}

/* As many points of the file at hand as there is room for; fewer only at its end. */
static size_t take_points(struct mlruns *m, struct slice key, struct import_point *points,
			  size_t max)
{
	struct mlruns_curve *c = &m->curve;
	size_t count = 0;
	while (count < max) {
		struct slice line = mlruns_curve_line(c), rest;
		if (!slice_is_present(line)) {
			mlruns_curve_close(m, c);
			break;
		}
		points[count].key = key;
		if (mlruns_parse_point(line, &points[count], &rest)) {
			count++;
			c->point_count++;
		} else {
			mlruns_curve_bad(c);
		}
	}
	return count;
}

bool mlruns_next_points(struct import_source *s, struct arena *arena, struct import_point *points,
			size_t max, size_t *count_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	size_t count = 0;
	(void)err;
	while (count < max && (m->curve.fd >= 0 || next_curve(m, arena)))
		count += take_points(m, arena_copy(arena, m->curve.key), points + count,
				     max - count);
	*count_out = count;
	return true;
}

void mlruns_points_close(struct mlruns *m)
{
	if (m->curve.fd >= 0)
		(void)close(m->curve.fd); /* only read */
	m->curve.fd = -1;
	import_files_close(&m->metrics);
	m->has_metrics = false;
}

/* ---- the digest ------------------------------------------------------------------------------ */

static bool add_file(struct mlruns *m, const char *folder, const struct import_artifact *file,
		     struct sha256 *h, struct arena *arena, struct error *err)
{
	struct stat info;
	const char *name =
		arena_cstr(arena, arena_printf(arena, "%s/%.*s", folder, SLICE_FMT(file->path)));
	if (lstat(mlruns_path(m, name, arena), &info) != 0)
		return false;
	return sha256_update(h,
			     arena_printf(arena, "%.*s %lld %lld.%09ld\n", SLICE_FMT(file->path),
					  (long long)info.st_size, (long long)info.st_mtim.tv_sec,
					  info.st_mtim.tv_nsec),
			     err);
}

struct slice mlruns_points_digest(struct mlruns *m, const char *folder, struct arena *arena)
{
	char hex[SHA256_HEX_LEN + 1];
	struct import_artifact file;
	struct import_files files = {0};
	struct sha256 h;
	struct error ignored;
	if (!sha256_init(&h, &ignored))
		return (struct slice){0};
	bool ok = true;
	if (mlruns_is_folder(m, folder)) /* what is wrong there is told when the points are read */
		import_files_open_as(&files, NULL, "", "", mlruns_path(m, folder, arena));
	while (ok && import_files_next(&files, arena, &file))
		ok = add_file(m, folder, &file, &h, arena, &ignored);
	import_files_close(&files);
	ok = ok && sha256_finish(&h, hex, &ignored);
	sha256_deinit(&h);
	return ok ? arena_copy(arena, slice_make(hex, SHA256_HEX_LEN)) : (struct slice){0};
}
