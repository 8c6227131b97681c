-- what: DROP FUNCTION of none.
-- compare: rows
DROP FUNCTION nope;
