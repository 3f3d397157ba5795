-- The versions made from a run, which its page asks for: a search for a run's id, which may be empty, cannot use an index
-- that leaves out versions without one.
DROP INDEX model_versions_by_run;
CREATE INDEX model_versions_by_run ON model_versions (run_id);
