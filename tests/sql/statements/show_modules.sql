-- what: SHOW MODULES.
-- compare: rows
SHOW MODULES;
