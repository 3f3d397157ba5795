/* libtrk: record training runs from C and C++ on a trackerd server.
 *
 * The promise: logging never blocks the training loop on the network, never prints, never aborts,
 * and never loses a value that a trk_log_* call accepted, unless the disk is lost. It works with
 * the server away.
 *
 *     struct trk_run *run;
 *     struct trk_run_options options = {.size = sizeof options, .experiment = "taxi"};
 *     trk_run_start(&options, &run);
 *     trk_log_param_double(run, "alpha", 0.3);
 *     for (int step = 0; step < 100; step++)
 *             trk_log_metric(run, "loss", train(), step);
 *     trk_run_finish(run, TRK_RUN_FINISHED, 10000);
 *
 * HOW IT WORKS. Each call writes one record into the run's spool, a folder of memory-mapped files,
 * and returns. A sender thread, which the run owns, reads the spool and sends batches over HTTP: at
 * most 1000 records or 1 MB, at the latest 200 ms after the first. What the server confirms is
 * marked in the spool; when a finished run is confirmed to the last record, its folder is removed.
 * The run's id is made here, so a run can start and finish without a server and be delivered later
 * by `trk sync` or trk_sync().
 *
 * WHAT SURVIVES WHAT. When a trk_log_* call has returned TRK_OK, its record survives
 *   - the end of the program in any way (crash, kill -9, exit without finish): at once, since the
 *     record is in the kernel's page cache of a mapped file;
 *   - the server being away, restarted, or killed: the record is sent again until it is confirmed.
 *     A record may reach the server twice; the server drops exact duplicates, so nothing is counted
 *     twice;
 *   - a power cut or a crash of the kernel: after trk_flush() has returned TRK_OK, TRK_TIMEOUT or
 *     TRK_REJECTED. Before that, the kernel writes the pages back in its own time (on Linux,
 *     usually within 30 seconds).
 * A record that a crash cut in half fails its checksum and is dropped when the spool is next
 * opened; the call that wrote it had not returned.
 *
 * ERRORS ARE VALUES. Functions return an enum trk_status; trk_strerror() names it and
 * trk_run_last_error() gives the whole sentence. Nothing is printed: set `log` in the options to
 * hear of what happens in the background. Every function accepts NULL for the run and answers
 * TRK_INVALID_ARGUMENT, so a program whose training must go on without its log need not check
 * anything at all.
 *
 * WHEN THE SERVER SAYS NO. A network error, a time-out, 408, 429 and 5xx are tried again with
 * growing, jittered pauses of 0.25 to 30 seconds (Retry-After is honoured). If the server refuses a
 * record (a parameter changed its value, a name it does not take), that record alone is set aside:
 * it is appended with the server's reason to SPOOL/rejected/RUN_ID.jsonl, counted in struct
 * trk_run_counts, and the rest goes on. If the server refuses the run itself (its experiment or the
 * run was deleted, access denied), everything stays in the spool for a later trk_sync.
 *
 * THREADS. A run may be used by any number of threads at once; records of one thread keep their
 * order. Only trk_run_finish() and trk_run_close(), which free the handle, must be the last call.
 * The library has no global state but curl_global_init(), called once, thread-safely, when the
 * first sender starts, and never undone. The sender thread blocks all signals.
 *
 * FORK. The handle of a forked child is dead: every call answers TRK_FORKED and touches nothing.
 * The child may free its copy with trk_run_close(). The parent carries on as before. A program that
 * forks and lives on in the child only (a daemon) starts its run after the fork. A child that keeps
 * running without exec after its parent died also keeps the spool's lock, so that trk_sync reports
 * the run as busy until the child ends.
 *
 * ONE PROCESS PER RUN. The spool of a run is locked; a second process gets TRK_BUSY.
 *
 * TEXT is UTF-8 and NUL-terminated; it is copied before the call returns, so nothing of the
 * caller's is kept. Names of metrics, parameters and tags are 1 to 250 characters
 * (TRK_INVALID_ARGUMENT otherwise); the server takes letters, digits and "/ _ - . : space" in them.
 * Bytes of a value that are not UTF-8 arrive as U+FFFD.
 *
 * The header is C99 and C++. Structs that the caller fills begin with their size, so that programs
 * built against an older header run with a newer library: set `size` to sizeof the struct and the
 * rest to zero. */
#ifndef TRK_H
#define TRK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TRK_API __attribute__((visibility("default")))
#define TRK_PRINTF(format_index, first_index)                                                      \
	__attribute__((format(printf, format_index, first_index)))
#else
#define TRK_API
#define TRK_PRINTF(format_index, first_index)
#endif

/* The compiler of the program that includes this header; trk_run_start() records it as tag
 * trk.compiler. */
#if defined(__clang__)
#define TRK_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define TRK_COMPILER "gcc " __VERSION__
#else
#define TRK_COMPILER ""
#endif

// clang-format off
enum trk_status {
	TRK_OK = 0,
	TRK_INVALID_ARGUMENT, /* NULL, a bad name, a bad id, an unknown size: nothing was done */
	TRK_NO_MEMORY,        /* nothing was done; the run is usable */
	TRK_DISK,             /* the spool or directory cannot be written (full, read-only): not kept */
	TRK_SPOOL_FULL,       /* the run's spool has reached spool_bytes_max: not kept */
	TRK_FILE,             /* a file or directory to be logged cannot be read */
	TRK_BUSY,             /* another process, or another handle, has this spool or directory open */
	TRK_FORKED,           /* this is a child's copy of a handle that its parent opened */
	TRK_TIMEOUT,          /* the deadline passed; what is undelivered stays in the spool */
	TRK_UNREACHABLE,      /* trk_sync: a server could not be reached */
	TRK_REJECTED,         /* the server refused records or the run; the last error says why */
	TRK_DAMAGED,          /* the spool is of an unknown format */
	TRK_SYSTEM            /* the system refused a thread or another resource */
};
// clang-format on

/* Opaque. Made by trk_run_start(), freed by trk_run_finish() or trk_run_close(). */
struct trk_run;

struct trk_pair {
	const char *key;
	const char *value;
};

enum trk_mode {
	TRK_MODE_DEFAULT, /* online, or offline if the environment has TRK_OFFLINE=1 */
	TRK_ONLINE,	  /* a sender thread delivers while the program runs */
	TRK_OFFLINE	  /* no thread, no network: the spool waits for trk_sync() */
};

enum trk_log_level { TRK_LOG_INFO, TRK_LOG_WARN, TRK_LOG_ERROR };

/* Hears of background events: the server unreachable, back again, records refused, records lost to
 * a damaged disk. One sentence without a newline, borrowed for the call. Called on the sender
 * thread or on the thread inside a trk_ call, never at the same time for one run; it must not call
 * back into the run. */
typedef void (*trk_log_fn)(void *context, enum trk_log_level level, const char *sentence);

/* Options of a run. NULL and 0 mean "the default". An environment variable is looked at only where
 * the field is NULL. */
struct trk_run_options {
	size_t size; /* sizeof(struct trk_run_options) */

	/* Where to: "http://host:port" or https, with an optional path before /api. Default:
	 * $TRK_URL, then $MLFLOW_TRACKING_URI, then http://127.0.0.1:5000. Kept in the spool, so
	 * that trk_sync knows it. */
	const char *url;
	/* Experiment by name; made if it does not exist. Default: $TRK_EXPERIMENT,
	 * $MLFLOW_EXPERIMENT_NAME, "Default". */
	const char *experiment;
	/* Default: the server makes one up. */
	const char *run_name;
	/* To continue an existing run: its id (32 lower-case hexadecimal digits). Its status
	 * becomes RUNNING again. If the server does not know the id, the run is made with it.
	 * Records that an earlier process left in the run's spool are delivered first. Default:
	 * $TRK_RUN_ID, else a new run with a new id. */
	const char *run_id;
	/* Makes the run a child of this run (tag mlflow.parentRunId). */
	const char *parent_run_id;
	/* Tags to set at the start, `tags_count` of them. They win over those that are recorded by
	 * themselves. */
	const struct trk_pair *tags;
	size_t tags_count;
	/* Name of the program in tag mlflow.source.name. Default: the path of the executable. */
	const char *source_name;
	/* Folder of all spools, made with mode 0700 if missing. Default: $TRK_SPOOL_DIR, else
	 * $XDG_STATE_HOME/trk/spool, else ~/.local/state/trk/spool. Must be on a disk that supports
	 * mmap and flock. */
	const char *spool_directory;
	/* Bound of the record files of this run on disk; copies of logged files are not counted.
	 * Default: 4 GiB, some 80 million points. */
	uint64_t spool_bytes_max;
	enum trk_mode mode;
	/* True leaves out tag trk.command, for programs that take secrets on their command line. */
	bool without_command;
	trk_log_fn log;
	void *log_context;
	/* Default: 5000 and 60000. An upload may take longer than request_timeout_ms; it fails when
	 * nothing moved for so long. */
	int64_t connect_timeout_ms;
	int64_t request_timeout_ms;
	/* Where trk_run_start() writes a sentence when it fails, since there is no run to ask; may
	 * be NULL. */
	char *error_text;
	size_t error_text_bytes;
};

/* Starts a run, or continues one, and gives its handle in *run_out; NULL on failure. `options` may
 * be NULL.
 *
 * Does not wait for the server, which may be away: makes the spool, writes down who runs what,
 * starts the sender. Takes some milliseconds.
 *
 * Recorded by itself as tags: mlflow.user, mlflow.source.name, mlflow.source.type (LOCAL),
 * mlflow.source.git.commit (of the repository around the executable, else around the working
 * directory, read without running git; absent if there is none), trk.host, trk.command (the command
 * line, cut at 4000 bytes), trk.compiler (of the code that calls the macro of this name) and
 * trk.version. A continued run that exists on the server gets only the tags given here.
 *
 * Fails: TRK_INVALID_ARGUMENT, TRK_BUSY, TRK_DISK, TRK_DAMAGED, TRK_NO_MEMORY, TRK_SYSTEM. */
TRK_API enum trk_status trk_run_start(const struct trk_run_options *options,
				      struct trk_run **run_out);
/* What the macro below calls. Bindings of other languages pass what runs their program ("python
 * 3.11"), or "". */
TRK_API enum trk_status trk_run_start_compiled(const struct trk_run_options *options,
					       struct trk_run **run_out, const char *compiler);
#define trk_run_start(options, run_out) trk_run_start_compiled((options), (run_out), TRK_COMPILER)

/* The id: 32 hexadecimal digits, valid while the handle is; "" for NULL. Usable in a child after
 * fork. */
TRK_API const char *trk_run_id(const struct trk_run *run);

/* Parameters: set once per run; the server refuses another value for a name it has (the same value
 * is fine) and cuts values at 6000 characters. Doubles are written as the shortest text that reads
 * back the same; bool as "true" or "false". trk_log_paramf() formats like printf, up to 64 KiB. */
TRK_API enum trk_status trk_log_param(struct trk_run *run, const char *key, const char *value);
TRK_API enum trk_status trk_log_param_int(struct trk_run *run, const char *key, int64_t value);
TRK_API enum trk_status trk_log_param_double(struct trk_run *run, const char *key, double value);
TRK_API enum trk_status trk_log_param_bool(struct trk_run *run, const char *key, bool value);
TRK_API enum trk_status trk_log_paramf(struct trk_run *run, const char *key, const char *format,
				       ...) TRK_PRINTF(3, 4);

/* One point of a curve. NaN and infinities are kept. `step` may be any number and need not grow;
 * several points may share one. Points that agree in name, step, time and value are one point. The
 * time is now (milliseconds since 1970), or time_ms >= 0.
 *
 * Cost: about 0.1 microseconds (a lock, a hash look-up, a copy of some 50 bytes); some microseconds
 * once in eighty calls, when the kernel hands out the next page; and once in up to 8 MiB of records
 * a new file is made, which takes as long as the file system needs to reserve it. */
TRK_API enum trk_status trk_log_metric(struct trk_run *run, const char *key, double value,
				       int64_t step);
TRK_API enum trk_status trk_log_metric_at(struct trk_run *run, const char *key, double value,
					  int64_t step, int64_t time_ms);

struct trk_metric {
	const char *key;
	double value;
};
/* `count` metrics of one step with one time. All names are checked before anything is kept. */
TRK_API enum trk_status trk_log_metrics(struct trk_run *run, const struct trk_metric *metrics,
					size_t count, int64_t step);

/* Tags can be set again; the last value wins. The server cuts values at 8000 characters. */
TRK_API enum trk_status trk_set_tag(struct trk_run *run, const char *key, const char *value);
TRK_API enum trk_status trk_set_tagf(struct trk_run *run, const char *key, const char *format, ...)
	TRK_PRINTF(3, 4);

/* Logs a file as artifact `artifact_path` ("plots/loss.png"; NULL: the file's own name), replacing
 * an earlier one.
 *
 * The content is copied into the spool before the call returns, so that the file may change or go:
 * as a reflink where the file system has them (no data is moved), else byte by byte. Its SHA-256 is
 * computed on the way and the server verifies it. Blocks for that long: about a second a gigabyte
 * plus the copy. */
TRK_API enum trk_status trk_log_file(struct trk_run *run, const char *local_path,
				     const char *artifact_path);
/* Logs a directory tree as artifacts under `artifact_path` (NULL: the directory's own name; "": at
 * the top), as one tarball that the server stores in one transaction: all files or none. Files of
 * the same names are replaced, others stay.
 *
 * Regular files and directories are taken; a symbolic link is taken as the file it names and
 * skipped if it names anything else (so no loops); sockets and devices are skipped. The tarball is
 * written to the spool before the call returns. Same tree, same bytes: names sorted, owner, times
 * and modes fixed. After the upload the server's SHA-256 of the tree is compared with ours. */
TRK_API enum trk_status trk_log_directory(struct trk_run *run, const char *local_path,
					  const char *artifact_path);

/* A data set the run used. `source_type` says how to read `source` ("local", "http", "s3", …),
 * `context` what it was for ("training", "validation"; may be NULL). The digest has at most 36
 * characters. */
struct trk_dataset {
	const char *name;
	const char *digest;
	const char *source_type;
	const char *source;
	const char *context;
};
TRK_API enum trk_status trk_log_dataset(struct trk_run *run, const struct trk_dataset *dataset);
/* The same for a file here: its name, the first 32 digits of its SHA-256 as digest, source type
 * "local" and as source a JSON object of its path ("uri"), whole "sha256" and "size". Reads the
 * file once; does not upload it. */
TRK_API enum trk_status trk_log_dataset_file(struct trk_run *run, const char *local_path,
					     const char *context);

/* Makes everything accepted so far safe from power loss, then waits up to `timeout_ms` until the
 * server has confirmed it; 0 does not wait, a negative time waits for ever. Other threads may go on
 * logging: their later records are not waited for. Offline, only the first half.
 *
 * TRK_OK: all safe and (online) delivered. TRK_TIMEOUT: safe, not all delivered yet. TRK_REJECTED:
 * safe, and the server refused records since the last flush, or refuses the run. TRK_DISK: not
 * safe. */
TRK_API enum trk_status trk_flush(struct trk_run *run, int64_t timeout_ms);

struct trk_run_counts {
	size_t size;	   /* sizeof(struct trk_run_counts), set by the caller */
	uint64_t accepted; /* records that trk_ calls of this handle put into the spool */
	uint64_t waiting;  /* not confirmed records in the spool, those of earlier processes too */
	uint64_t rejected;   /* records of this handle's life that the server refused */
	bool server_is_away; /* the last attempt failed */
};
TRK_API enum trk_status trk_run_counts(struct trk_run *run, struct trk_run_counts *counts);

/* Copies the newest error sentence of this run, of calls and of the sender alike, into `text`
 * (NUL-terminated, cut to fit); "" if there was none. Returns the length it would have. */
TRK_API size_t trk_run_last_error(struct trk_run *run, char *text, size_t text_bytes);

enum trk_run_status { TRK_RUN_FINISHED, TRK_RUN_FAILED, TRK_RUN_KILLED };

/* Ends the run: records status and end time, flushes as trk_flush() does, stops the sender, frees
 * the handle. Answers what the flush answered; the handle is freed in any case. On TRK_TIMEOUT the
 * rest stays in the spool for trk_sync(). */
TRK_API enum trk_status trk_run_finish(struct trk_run *run, enum trk_run_status status,
				       int64_t timeout_ms);
/* Lets go of the run without ending it, for programs that continue it later (run_id): as finish,
 * but the run stays RUNNING, and trk_sync() does not take it for crashed. */
TRK_API enum trk_status trk_run_close(struct trk_run *run, int64_t timeout_ms);

/* Delivery of spools that programs left behind. */
struct trk_sync_progress {
	size_t size;
	const char *run_id; /* the run at hand */
	size_t runs_done;
	size_t runs_total;
	uint64_t records_done; /* of this run */
	uint64_t records_total;
};
/* True to go on, false to stop early. Called on the thread inside trk_sync(), about once a
 * request. */
typedef bool (*trk_sync_progress_fn)(void *context, const struct trk_sync_progress *progress);

struct trk_sync_options {
	size_t size; /* sizeof(struct trk_sync_options) */
	/* A folder of spools, or one run's folder. Default as spool_directory above. */
	const char *directory;
	/* Overrides the address that each run was started with; NULL: use that. */
	const char *url;
	/* Gives up after this long without any confirmation. Default: 10000. */
	int64_t patience_ms;
	int64_t connect_timeout_ms;
	int64_t request_timeout_ms;
	trk_sync_progress_fn progress;
	void *progress_context;
	trk_log_fn log;
	void *log_context;
	char *error_text; /* receives a sentence on failure; may be NULL */
	size_t error_text_bytes;
};

struct trk_sync_result {
	size_t size;	       /* sizeof(struct trk_sync_result), set by the caller */
	size_t runs_total;     /* spools found */
	size_t runs_delivered; /* completely, and their folders removed */
	size_t runs_busy;      /* left alone: their program still runs */
	size_t runs_refused;   /* by the server, or the spool is unreadable; still there */
	size_t runs_closed;    /* left open by a crash and closed as FAILED */
	uint64_t records_delivered;
	uint64_t records_rejected; /* set aside in DIRECTORY/rejected */
};

/* Delivers the spools in a directory, oldest run first, waiting for the network in the calling
 * thread. A run whose program died without ending it (its lock is free, and it was neither finished
 * nor closed) is closed as FAILED, with the time of its last record as end time. `options` and
 * `result` may be NULL.
 *
 * TRK_OK: nothing is left but busy runs. TRK_UNREACHABLE: patience ran out. TRK_REJECTED: records
 * were set aside, or a run refused. TRK_TIMEOUT: progress said to stop. TRK_DISK: the directory
 * cannot be read or written. */
TRK_API enum trk_status trk_sync(const struct trk_sync_options *options,
				 struct trk_sync_result *result);

/* FOLLOWING A MODEL. A program that serves predictions names a model and an alias, and always has a
 * complete, verified copy of the version that the alias names in a directory here. When the alias
 * moves, a background thread downloads the other version beside it, checks every SHA-256, and only
 * then makes it the current one.
 *
 *     struct trk_model_watch_options options = {.size = sizeof options, .model = "taxi",
 *             .alias = "champion", .directory = "/var/lib/taxi"};
 *     trk_model_watch_start(&options, &watch);
 *     trk_model_watch_wait(watch, 0, 60000);             (until there is a first one)
 *     for (each request) {
 *             if (trk_model_watch_generation(watch) != seen) {
 *                     const struct trk_model *model = trk_model_watch_current(watch);
 *                     predictor = load(model->directory);
 *                     seen = model->generation;
 *                     trk_model_watch_release(watch, model);
 *             }
 *             predict(predictor, …);
 *     }
 *
 * A move is heard of at once: the server holds the thread's question until the alias moves. While the
 * server is away, what is here stays; the program starts with the copy of its last life, and catches
 * up when the server answers. A version that cannot be had (its bytes are not those registered, the
 * disk is full, `load` refuses it) leaves the old one in use; it is tried again after a delay that
 * doubles up to minutes (an hour where `load` refused it), and at once when the alias moves.
 *
 * THE DIRECTORY belongs to one watch of one process (TRK_BUSY for a second one), and has the layout of
 * trk deploy: versions/NAME and a link `current`. A download that broke off is gone on with, also by
 * the next process. One that trk deploy keeps is refused: open its `current` instead.
 *
 * THREADS. Any thread may call any function at any time; trk_model_watch_stop() must be the last. None
 * but start, wait and stop ever waits, for the network or the disk. The thread of a watch blocks all
 * signals. FORK. As for runs, the handle is dead in a child: trk_model_watch_current() answers NULL,
 * the others TRK_FORKED or 0. */
struct trk_model_watch;

/* A version in a directory here. Its texts live as long as itself: until it is released. */
struct trk_model {
	size_t size; /* of this struct in the library at hand */
	const char *model;
	const char *version;
	const char *directory;	 /* absolute; nobody changes what is in it */
	const char *tree_sha256; /* over the lines "<sha256>  <path>\n" of its files */
	uint64_t generation;	 /* 1 for the first one, and one more for each */
};

/* Asked on the thread of the watch before a version becomes the current one, which until then stays in
 * use: false refuses it. The place to load it, and to say that it works. `model` is borrowed for the
 * call. It may call everything but trk_model_watch_wait() and trk_model_watch_stop(). */
typedef bool (*trk_model_fn)(void *context, const struct trk_model *model);

/* NULL and 0 mean "the default". Everything is copied. */
struct trk_model_watch_options {
	size_t size;	       /* sizeof(struct trk_model_watch_options) */
	const char *url;       /* as for runs */
	const char *model;     /* its name; required */
	const char *alias;     /* required */
	const char *directory; /* required; made if only it is missing */
	/* Versions to keep in the directory, the current one included, besides those in use.
	 * Default: 2, so that going back needs no download. */
	size_t keep;
	trk_model_fn load;
	void *load_context;
	trk_log_fn log; /* hears of versions, and of trouble that begins or ends */
	void *log_context;
	int64_t connect_timeout_ms; /* as for runs */
	int64_t request_timeout_ms;
	char *error_text; /* receives a sentence when the start fails; may be NULL */
	size_t error_text_bytes;
	/* A name, such as "dispatch", makes the program a target that the server shows, with the others
	 * that run the model ("trk deployments"): it is told of versions that come, are in use, or were
	 * refused, and every heartbeat_ms (1000 to a day; default 30000) that the program lives. Default:
	 * none, and nothing is told. Nothing is sent while `load` works: one that takes longer than three
	 * heartbeats shows as stale until it returns. */
	const char *target;
	const char *environment; /* "prod"; default: none */
	int64_t heartbeat_ms;
};

/* Starts to follow, and gives the handle in *watch_out; NULL on failure. Waits neither for the server
 * nor for the check of what is there. Fails: TRK_INVALID_ARGUMENT, TRK_BUSY, TRK_DISK, TRK_NO_MEMORY,
 * TRK_SYSTEM. */
TRK_API enum trk_status trk_model_watch_start(const struct trk_model_watch_options *options,
					      struct trk_model_watch **watch_out);

/* That of the current version, 0 for none: one load from memory, for each request. */
TRK_API uint64_t trk_model_watch_generation(const struct trk_model_watch *watch);
/* The current version, which stays in its directory until it is released; NULL when there is none.
 * Costs a lock that nobody holds for long, and allocates nothing. */
TRK_API const struct trk_model *trk_model_watch_current(struct trk_model_watch *watch);
/* Once for each answer of the function above; NULL is fine. */
TRK_API void trk_model_watch_release(struct trk_model_watch *watch, const struct trk_model *model);

/* Waits until the current version has another generation than this one, at most `timeout_ms`; a
 * negative time waits for ever. TRK_OK, or TRK_TIMEOUT. */
TRK_API enum trk_status trk_model_watch_wait(struct trk_model_watch *watch, uint64_t generation,
					     int64_t timeout_ms);

/* As trk_run_last_error(), of the watch. */
TRK_API size_t trk_model_watch_last_error(struct trk_model_watch *watch, char *text,
					  size_t text_bytes);

/* Ends the watch and frees the handle, with all models of it, released or not; their directory stays.
 * Breaks off a download; waits for `load` to return, and up to seconds for a server that is told of
 * the end. */
TRK_API enum trk_status trk_model_watch_stop(struct trk_model_watch *watch);

/* "the server cannot be reached" for TRK_UNREACHABLE. Static text. */
TRK_API const char *trk_strerror(enum trk_status status);
/* Of the library that is linked, "0.1.0". Static text. */
TRK_API const char *trk_version(void);

#ifdef __cplusplus
}
#endif

#endif
