-- what: DROP of the catalog in use.
-- compare: rows
CREATE CATALOG cat WITH ('type'='generic_in_memory');
USE CATALOG cat;
DROP CATALOG cat;
