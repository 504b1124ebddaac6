/** Session settings under which text and definitions mean the same at every capture and restore. */

/**
 * Fixed for the transaction. `row_security = off` makes the server refuse a read that a policy would filter, where it
 * would otherwise hide rows. A database of encoding SQL_ASCII holds bytes of any encoding, which pass only unconverted.
 */
export const FIXED_SETTINGS = `
  SET LOCAL search_path TO '';
  SET LOCAL row_security TO off;
  SET LOCAL timezone TO 'UTC';
  SET LOCAL datestyle TO 'ISO, YMD';
  SET LOCAL intervalstyle TO 'postgres';
  SET LOCAL extra_float_digits TO 3;
  SET LOCAL bytea_output TO 'hex';
  SET LOCAL xmloption TO 'content';
  SET LOCAL lc_monetary TO 'C';
  SET LOCAL standard_conforming_strings TO on;
  SET LOCAL quote_all_identifiers TO off;
  SET LOCAL statement_timeout TO 0;
  SET LOCAL idle_in_transaction_session_timeout TO 0;
  SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', true) WHERE pg_catalog.getdatabaseencoding() = 'SQL_ASCII'`
