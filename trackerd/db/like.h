/* The LIKE patterns of the filter language, as SQL functions like_cs and ilike call them.
 *
 * '%' stands for any run of code points, '_' for exactly one (or one byte of broken UTF-8), everything
 * else for itself; there is no escape character, as in MLflow. Case is ignored for ASCII letters only,
 * which is what SQLite's LOWER folds for MLflow's own store. Time is at most pattern × text bytes. */
#ifndef DB_LIKE_H
#define DB_LIKE_H

#include <stdbool.h>

#include "base/slice.h"

bool like_matches(struct slice pattern, struct slice text, bool ignore_case);

#endif
