-- what: Parts of dates and times take no sign: texts of intervals are neither.
-- compare: changelog
SELECT s, TRY_CAST(s AS DATE) AS d, TRY_CAST(s AS TIME) AS t FROM (VALUES ('+1 02:03:04.005'), ('+2-00'), ('2024-+1-02'), ('10:+5'), ('+5'), ('2024- 1 -02'), ('99999999999')) AS v(s);
