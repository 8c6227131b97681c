-- what: DROP FUNCTION IF EXISTS of none.
-- compare: rows
DROP FUNCTION IF EXISTS nope;
SELECT 1 AS x;
