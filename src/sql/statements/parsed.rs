//! A statement that reads, parsed once for all that is asked of it before it runs.

use datafusion::prelude::DataFrame;
use datafusion::sql::parser::Statement as EngineStatement;

use super::reads::reads;
use super::{parse, planned, ready};
use crate::Error;
use crate::session::Session;

/// A statement that only reads. Its placeholders may be given values, and then [`Session::plan`] plans it.
#[derive(Debug, Clone)]
pub struct Parsed(pub(crate) EngineStatement);

impl Session {
    /// The statement that a text is; `None` where it changes something: a table, an option or a file.
    ///
    /// # Errors
    /// Text that is no statement, or several.
    pub fn parsed(&self, text: &str) -> Result<Option<Parsed>, Error> {
        let statement = parse(&self.context().state(), text)?;
        Ok(reads(&statement).then_some(Parsed(statement)))
    }

    /// Plans a statement; nothing of it runs before its rows are fetched.
    ///
    /// # Errors
    /// Names that do not exist, types that do not fit.
    pub async fn plan(&self, Parsed(mut statement): Parsed) -> Result<DataFrame, Error> {
        self.refresh().await?;
        let state = self.context().state();
        ready(self, &state, &mut statement)?;
        Ok(self.context().execute_logical_plan(planned(&state, statement).await?).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bound, Values};

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_parsed_is_what_the_text_says() {
        let session = Session::without_store();
        let shown = async |frame: DataFrame| {
            arrow::util::pretty::pretty_format_batches(&frame.collect().await.unwrap()).unwrap().to_string()
        };
        let values = Values::InOrder(vec![Bound::Integer(-3), Bound::Text("it's".into())]);
        for text in [
            "SELECT 1 - $1 AS a, $2 AS b, [$1, 2] AS c",
            "EXPLAIN SELECT $2 AS x WHERE $1 < 0",
            "WITH t AS (SELECT $1 AS a) SELECT max(a) AS a FROM t WHERE $2 <> 'x' ORDER BY a LIMIT 2",
        ] {
            let mut parsed = session.parsed(text).unwrap().unwrap();
            parsed.bind(&values, usize::MAX).unwrap();
            let bound = session.bind(text, &values).unwrap();
            let frames = [session.plan(parsed).await.unwrap(), session.sql(&bound).await.unwrap()];
            let [parsed, bound] = frames;
            assert_eq!(shown(parsed).await, shown(bound).await, "{text}");
        }
        assert!(session.parsed("SET a = 1").unwrap().is_none() && session.parsed("SELEC 1").is_err());
        let unknown = session.plan(session.parsed("SELECT * FROM nowhere").unwrap().unwrap()).await;
        assert!(unknown.unwrap_err().to_string().contains("nowhere"));
    }
}
