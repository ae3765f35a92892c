// The SQL that the editor colours and completes: that of queries here. The words of PostgreSQL would colour columns, such as `id`.
import { PostgreSQL, SQLDialect } from "./codemirror.js";

const keywords = `select from where group by having order limit offset as and or not in is null true false case when then else end
  join inner left right full outer cross natural semi anti on using union all distinct intersect except with recursive exists between
  like ilike similar to escape any over partition window rows range groups preceding following unbounded current row asc desc nulls
  first last explain analyze verbose describe show tables columns values cast try_cast interval extract unnest filter within qualify
  lateral`;

const types = "boolean tinyint smallint int integer bigint real float double precision decimal varchar text date time timestamp";

export const dialect = SQLDialect.define({ ...PostgreSQL.spec, keywords, types, builtin: "" });
