-- tracker.db, version 7: the first value of each curve, beside its last, least and greatest.
--
-- The first point is the least by (step, timestamp, value); its step is first_step. first_value_timestamp_ms NULL: not
-- known, of a curve from before this version whose first point cannot be told without reading points. first_value is
-- NULL then, too, and for a NaN.
ALTER TABLE metric_series ADD COLUMN first_value REAL;
ALTER TABLE metric_series ADD COLUMN first_value_timestamp_ms INTEGER;

-- A compacted curve that begins at the least step of all begins with its first point.
UPDATE metric_series SET (first_value, first_value_timestamp_ms) = (
	SELECT c.first_value, c.first_timestamp_ms FROM metric_chunks AS c
	WHERE c.run_pk = metric_series.run_pk AND c.name_pk = metric_series.name_pk
	ORDER BY c.first_timestamp_ms, c.first_step, c.first_value
	LIMIT 1
) WHERE first_step = (
	SELECT c.first_step FROM metric_chunks AS c
	WHERE c.run_pk = metric_series.run_pk AND c.name_pk = metric_series.name_pk
	ORDER BY c.first_timestamp_ms, c.first_step, c.first_value
	LIMIT 1
) AND run_pk NOT IN (SELECT run_pk FROM metric_tail_runs WHERE row_count > 0);
