/* Every limit of the daemon, with its reason. Tests try each at the limit and one beyond. */
#ifdef _GCC_NEXT_LIMITS_H
/* gcc's <limits.h> seeks the C library's along the path of quoted names, and comes by here. */
#pragma GCC system_header
#include_next <limits.h>
#elif !defined(LIMITS_H)
#define LIMITS_H

#include <stdint.h>

enum {
	/* HTTP */
	HTTP_HEAD_BYTES_MAX = 16 * 1024,        /* request line and headers; proxies use 8 to 16 KiB */
	HTTP_HEADERS_MAX = 100,
	HTTP_CONNECTIONS_MAX = 4096,
	BODY_BYTES_MAX = 16 * 1024 * 1024,      /* JSON: 1000 metrics are 0.1 MB; model_json can be megabytes */
	INPUTS_BODY_BYTES_MAX = 2 * BODY_BYTES_MAX, /* a dataset's profile alone may have 16 MiB */
	JOB_ARENA_BYTES_MAX = 512 * 1024 * 1024, /* a search page of 50,000 runs */
	REPLY_BYTES_MAX = 512 * 1024 * 1024,

	/* MLflow's validation (mlflow-api.md §2) */
	KEY_LENGTH_MAX = 250,                   /* of metrics, params, tags: characters */
	PARAM_VALUE_LENGTH_MAX = 6000,          /* cut */
	RUN_TAG_VALUE_LENGTH_MAX = 8000,        /* cut */
	EXPERIMENT_NAME_LENGTH_MAX = 500,
	EXPERIMENT_TAG_VALUE_LENGTH_MAX = 20000, /* 5000 before MLflow 3 */
	MODEL_TAG_VALUE_LENGTH_MAX = 100000,
	ALIAS_LENGTH_MAX = 255,
	ARTIFACT_LOCATION_LENGTH_MAX = 2048,
	BATCH_PARAMS_MAX = 100,
	BATCH_TAGS_MAX = 100,
	BATCH_METRICS_MAX = 1000,
	BATCH_ITEMS_MAX = 1000,
	IMPORT_POINTS_MAX = 10000,              /* of one request: 1 MB of JSON, a few ms of the committer */
	IMPORT_PAIRS_MAX = 10000,               /* tags or params of one request */
	IMPORT_VERSION_MAX = INT32_MAX,         /* other trackers' columns; there is room for the versions after it */
	IMPORT_VALUE_LENGTH_MAX = 1024 * 1024,  /* what other trackers kept is kept: none takes longer values */
	DATASET_NAME_LENGTH_MAX = 500,
	DATASET_DIGEST_LENGTH_MAX = 36,
	DATASET_SOURCE_LENGTH_MAX = 65535,
	DATASET_SCHEMA_LENGTH_MAX = 1048575,
	DATASET_PROFILE_LENGTH_MAX = 16777215,
	TRACE_VALUE_LENGTH_MAX = 8000,          /* of tags and metadata; cut, as are their keys at KEY_LENGTH_MAX */
	TRACE_LINKS_MAX = 100,                  /* in one request */
	TRACE_SPANS_BYTES_MAX = 32 * 1024 * 1024, /* read by us; as an artifact they may be larger */
	TRACE_IDS_MAX = 10000,                  /* in one request: a deletion looks each of them up */
	INPUT_TAG_KEY_LENGTH_MAX = 255,
	INPUT_TAG_VALUE_LENGTH_MAX = 500,
	LOGGED_MODEL_ID_LENGTH_MAX = 250,
	LOGGED_MODEL_NAME_LENGTH_MAX = 500,
	LOGGED_MODEL_KEY_LENGTH_MAX = 255,      /* of its params and tags */
	LOGGED_MODEL_VALUE_LENGTH_MAX = 100000, /* likewise; tags hold lists of versions and prompts */
	LOG_MODEL_HISTORY_BYTES_MAX = 1024 * 1024, /* of the tag that every model of a 2.x client makes longer */
	SEARCH_DATASETS_EXPERIMENTS_MAX = 20,
	SEARCH_DATASETS_MAX = 1000,
	SEARCH_LOGGED_MODELS_DEFAULT = 50,
	SEARCH_LOGGED_MODELS_MAX = 1000,        /* a page is never longer; more may be asked for */
	SEARCH_RUNS_MAX = 50000,
	SEARCH_EXPERIMENTS_MAX = 50000,
	SEARCH_MODELS_MAX = 1000,
	SEARCH_VERSIONS_MAX = 200000,
	SEARCH_TRACES_MAX = 500,
	HISTORY_POINTS_MAX = 25000,
	FILTER_BYTES_MAX = 64 * 1024,           /* a filter with 1,000 run ids is 36 kB */
	FILTER_NESTING_MAX = 32,
	FILTER_COMPARISONS_MAX = 200,           /* joins in one statement stay bounded */
	CURVES_MAX = 1000,                      /* curves in one reply */
	CURVE_BUCKETS_MAX = 5000,

	/* Registry */
	REQUIREMENT_BYTES_MAX = 600,            /* two names of KEY_LENGTH_MAX and a number */
	REQUIREMENTS_MAX = 50,                  /* of a model: each is checked by every promotion */
	PROTECTED_ALIASES_MAX = 20,             /* of a model */
	PROMOTION_REASON_LENGTH_MAX = 1000,

	/* Artifacts */
	ARTIFACT_PATH_BYTES_MAX = 1024,
	SMALL_UPLOAD_BYTES_MAX = 10 * 1024 * 1024, /* what MLflow's page may upload */
	BLOB_CHUNK_BYTES = 1024 * 1024,
	MULTIPART_PARTS_MAX = 10000,            /* as S3; a list of them is 3 MB */
	ARCHIVE_MEMBERS_MAX = 100000,
	ARCHIVE_EXPANSION_RATIO_MAX = 1000,     /* zstd of zeros reaches 10,000: a bomb */

	/* The registry's history */
	REGISTRY_BEFORE_BYTES_MAX = 16 * 1024,  /* larger states are in the history already, as an `after` */
	REGISTRY_ACTOR_BYTES_MAX = 256,
	REGISTRY_CLIENT_BYTES_MAX = 256,        /* cut */
	REGISTRY_CAUSE_BYTES_MAX = 512,
	REGISTRY_REASON_BYTES_MAX = 4096,
	REGISTRY_HISTORY_PAGE_MAX = 1000,       /* events in one reply */
	REGISTRY_VERIFY_PAGE_MAX = 10000,       /* events checked by one request: tens of ms */

	/* Webhooks */
	WEBHOOKS_MAX = 1000,                    /* each is looked at after every delivery */
	SEARCH_WEBHOOKS_MAX = 1000,
	WEBHOOK_NAME_LENGTH_MAX = 63,
	WEBHOOK_DESCRIPTION_LENGTH_MAX = 1000,
	WEBHOOK_URL_BYTES_MAX = 2048,
	WEBHOOK_SECRET_BYTES_MAX = 1024,
	WEBHOOK_PENDING_MAX = 10000,            /* deliveries that wait for one webhook: some days of one a minute */
	WEBHOOK_ENDED_MAX = 1000,               /* deliveries of one webhook that the log keeps */
	WEBHOOK_LOG_DAYS = 30,                  /* and for how long */
	WEBHOOK_RETRY_HOURS = 24,
	WEBHOOK_CONNECT_TIMEOUT_MS = 10 * 1000, /* DNS, TCP and TLS; a receiver that is there takes less */
	WEBHOOK_UNDER_WAY_MAX = 32,             /* deliveries at once; one for each webhook */

	/* Live events */
	LIVE_RING_CHANGES = 8192,               /* of runs: what a client that was away may miss, 0.6 MB */
	LIVE_PENDING_MAX = 1024,                /* runs that change at once; more are told at once */
	LIVE_GATHER_MS = 100,                   /* changes of one run become one event */
	LIVE_KEPT_MS = 60 * 1000,               /* the ring goes on for so long when the last follower left */
	LIVE_PING_MS = 15 * 1000,               /* proxies cut what is silent for a minute, some for half of one */
	LIVE_FOLLOWERS_MAX = 10000,             /* streams and long polls; 1.3 kB each */
	LIVE_CONNECTIONS_PERCENT = 75,          /* of --connections-max they may take; the rest is for what ends soon */
	ALIAS_WAIT_MS_MAX = 300 * 1000,         /* of one long poll; the next one goes on where it ended */
	LIVE_TOPICS_MAX = 100,                  /* of one stream: what a page shows */
	LIVE_BACKLOG_BYTES_MAX = 64 * 1024,     /* of one stream, beyond what the kernel holds; then it is behind */
	LIVE_READ_EVENTS_MAX = 256,             /* in one read of the database: a few ms of a worker */
	LIVE_READ_BYTES_MAX = 1024 * 1024,      /* of those; a single one may be larger */

	/* Deployments */
	DEPLOYMENTS_MAX = 10000,                /* all are looked through when one may have turned stale: 5 ms */
	DEPLOYMENT_CHANGES_MAX = 1000,          /* of one that are kept: with two a day more than a year */
	DEPLOYMENT_CHANGES_ALL_MAX = 1000000,   /* of all, those forgotten included: some 300 MB */
	SEARCH_DEPLOYMENTS_MAX = 1000,
	DEPLOYMENT_TEXT_LENGTH_MAX = 255,       /* of environment, target, host: a host's name is never longer */
	DEPLOYMENT_PATH_LENGTH_MAX = 4096,      /* of a path or URL, and of the model's name */
	DEPLOYMENT_REASON_LENGTH_MAX = 2000,    /* cut: a hook may say much, and no report is refused for it */
	DEPLOYMENT_HEARTBEAT_MS_MIN = 1000,
	DEPLOYMENT_HEARTBEAT_MS_MAX = 24 * 60 * 60 * 1000,
	DEPLOYMENT_HEARTBEATS_MISSED = 3,       /* then a target is stale */

	/* Queues */
	LANE_JOBS_MAX = 8192,
	LANE_BYTES_MAX = 64 * 1024 * 1024,
	GROUP_JOBS_MAX = 256,
	GROUP_BYTES_MAX = 8 * 1024 * 1024,
};

#define ARTIFACT_BYTES_MAX ((int64_t)1 << 40)          /* one upload: 1 TiB */
#define ARCHIVE_BYTES_MAX ((int64_t)256 << 30)         /* unpacked size of one archive: 256 GiB */

#endif
