-- what: SHOW USER FUNCTIONS: none.
-- compare: rows
SHOW USER FUNCTIONS;
