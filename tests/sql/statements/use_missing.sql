-- what: USE of a database that is not there.
-- compare: rows
USE nope;
