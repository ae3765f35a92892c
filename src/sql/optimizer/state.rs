//! A plan on its way up, with what has been taken out of it and not yet put back.
//!
//! Going up the plan, costly work is put off: an output column that needs a call is *deferred*, a predicate that needs
//! one is *pending*. The plan meanwhile carries the calls' arguments. Where an operator cannot do without (a sort key, an
//! aggregate, a limit above a predicate, the end), the calls are *materialised* in an [`Evaluate`] node, and from there on
//! *available* as columns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::alias::AliasGenerator;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, TableReference};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Projection, Sort, SortExpr};

use super::Cost;
use super::cost::{calls, has_calls};
use super::node::{Call, Evaluate};

/// A plan and what is put off.
#[derive(Debug)]
pub(super) struct State {
    /// Has every column that its original had, except the deferred ones, and perhaps some more.
    pub plan: LogicalPlan,
    /// Columns of the original, as expressions over the plan.
    pub deferred: Vec<(Column, Expr)>,
    /// Predicates of the original, not applied yet.
    pub pending: Vec<Expr>,
    /// The order in which the plan's rows come, where a limit above counts on it.
    pub order: Vec<SortExpr>,
    /// Calls, as expressions over the plan, and the plan's columns that hold their values.
    available: Vec<(Expr, Column)>,
    /// Names that calls had before, to keep them.
    names: Vec<(Expr, String)>,
}

impl State {
    /// Nothing put off.
    pub fn new(plan: LogicalPlan) -> Self {
        Self { plan, deferred: vec![], pending: vec![], order: vec![], available: vec![], names: vec![] }
    }

    /// Takes the calls of a node that was placed earlier back into the state.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn dissolve(mut self, node_calls: &[Call]) -> Result<Self> {
        for call in node_calls {
            let expr = self.resolve(call.expr.clone())?;
            self.names.push((expr.clone(), call.name.clone()));
            self.deferred.push((Column::new_unqualified(&call.name), expr));
        }
        Ok(self)
    }

    /// An expression over the original as one over the plan, with calls that are available replaced by their columns.
    ///
    /// # Errors
    /// An expression that DataFusion cannot rewrite.
    pub fn resolve(&self, expr: Expr) -> Result<Expr> {
        let expr = replace_columns(expr, |c| self.deferred(c).cloned().or_else(|| self.qualified(c)))?;
        if self.available.is_empty() {
            return Ok(expr);
        }
        expr.transform_down(|e| {
            Ok(match self.available.iter().find(|(call, _)| *call == e) {
                Some((_, column)) => Transformed::new(Expr::Column(column.clone()), true, TreeNodeRecursion::Jump),
                None => Transformed::no(e),
            })
        })
        .data()
    }

    /// The expression that stands for a deferred column. The engine also names a column without its table where no other
    /// has the name.
    fn deferred(&self, column: &Column) -> Option<&Expr> {
        let bare = column.relation.is_none() && !self.plan.schema().has_column(column);
        let exact = self.deferred.iter().find(|(deferred, _)| deferred == column);
        let named = || self.deferred.iter().find(|(deferred, _)| bare && deferred.name == column.name);
        exact.or_else(named).map(|(_, expr)| expr)
    }

    /// A bare name as the one column of a table that it means: what is added to the plan must not stand beside it under
    /// both names.
    fn qualified(&self, column: &Column) -> Option<Expr> {
        let fields = match column.relation {
            None => self.plan.schema().qualified_fields_with_unqualified_name(&column.name),
            Some(_) => vec![],
        };
        match fields.as_slice() {
            [(Some(table), field)] => Some(Expr::Column(Column::new(Some((*table).clone()), field.name()))),
            _ => None,
        }
    }

    /// Adds a predicate: cheap conjuncts are applied, costly ones put off.
    ///
    /// # Errors
    /// As [`Self::resolve`], or a predicate that does not fit the plan.
    pub fn filter(&mut self, conjuncts: Vec<Expr>) -> Result<()> {
        let mut cheap = vec![];
        for conjunct in conjuncts {
            let conjunct = self.resolve(conjunct)?;
            if !has_calls(&conjunct) {
                cheap.push(conjunct);
            } else if !self.pending.contains(&conjunct) {
                self.pending.push(conjunct);
            }
        }
        self.apply(cheap)
    }

    fn apply(&mut self, conjuncts: Vec<Expr>) -> Result<()> {
        if let Some(predicate) = conjunction(conjuncts) {
            let input = std::mem::take(&mut self.plan);
            self.plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?);
        }
        Ok(())
    }

    /// Applies what is pending, cheapest first, each predicate on the rows that the ones before left.
    ///
    /// # Errors
    /// As [`Self::materialise`], or a predicate that does not fit the plan.
    pub fn apply_pending(&mut self, aliases: &AliasGenerator) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        while !pending.is_empty() {
            let resolved: Vec<Expr> = pending.into_iter().map(|e| self.resolve(e)).collect::<Result<_>>()?;
            let (waiting, ready): (Vec<Expr>, Vec<Expr>) = resolved.into_iter().partition(has_calls);
            self.apply(ready)?;
            if let Some(next) = waiting.iter().min_by_key(|e| (Cost::of(e), calls(e).len())) {
                self.materialise(calls(next), aliases)?;
            }
            pending = waiting;
        }
        Ok(())
    }

    /// Applies what is pending, and says again in which order the rows come: between a sort and its limit an engine may
    /// hand on the rows of a filter in any order. Where it keeps the order, it sees that and does not sort twice.
    ///
    /// # Errors
    /// As [`Self::apply_pending`].
    pub fn apply_pending_in_order(&mut self, aliases: &AliasGenerator) -> Result<()> {
        let order = std::mem::take(&mut self.order);
        if self.pending.is_empty() {
            return Ok(());
        }
        self.apply_pending(aliases)?;
        if !order.is_empty() {
            let input = Arc::new(std::mem::take(&mut self.plan));
            self.plan = LogicalPlan::Sort(Sort { expr: order, input, fetch: None });
        }
        Ok(())
    }

    /// Makes `calls` available, the cheaper class first.
    ///
    /// # Errors
    /// As [`Evaluate::try_new`].
    pub fn materialise(&mut self, calls: Vec<Expr>, aliases: &AliasGenerator) -> Result<()> {
        for cost in [Cost::Costly, Cost::Model, Cost::Surface] {
            let mut placed: Vec<Call> = vec![];
            for expr in calls.iter().filter(|call| Cost::of(call) == cost) {
                if self.available.iter().any(|(call, _)| call == expr) || placed.iter().any(|call| call.expr == *expr) {
                    continue;
                }
                let name = self.name(expr, &placed, aliases);
                placed.push(Call { expr: expr.clone(), name, needed: None });
            }
            if placed.is_empty() {
                continue;
            }
            self.available.extend(placed.iter().map(|c| (c.expr.clone(), Column::new_unqualified(&c.name))));
            self.plan = Evaluate::try_new(std::mem::take(&mut self.plan), placed, cost)?.into_plan();
        }
        Ok(())
    }

    /// The name that the call had before, or a fresh one.
    fn name(&self, call: &Expr, placed: &[Call], aliases: &AliasGenerator) -> String {
        let taken = |name: &str| {
            self.plan.schema().fields().iter().any(|f| f.name() == name) || placed.iter().any(|c| c.name == name)
        };
        if let Some((_, name)) = self.names.iter().find(|(expr, name)| expr == call && !taken(name)) {
            return name.clone();
        }
        let prefix = match call {
            Expr::ScalarFunction(function) => format!("__{}", function.name()),
            _ => "__call".to_string(),
        };
        loop {
            let name = aliases.next(&prefix);
            if !taken(&name) {
                return name;
            }
        }
    }

    /// Puts everything back: the plan with exactly the columns of `original`.
    ///
    /// # Errors
    /// As [`Self::apply_pending`], or columns that the plan cannot give.
    pub fn settle(mut self, original: &DFSchema, aliases: &AliasGenerator) -> Result<LogicalPlan> {
        self.apply_pending(aliases)?;
        let mut exprs = self.originals(original)?;
        let outstanding: Vec<Expr> = exprs.iter().flat_map(calls).collect();
        if !outstanding.is_empty() {
            self.materialise(outstanding, aliases)?;
            exprs = self.originals(original)?;
        }
        let same = |(expr, (q, f)): (&Expr, (Option<&TableReference>, _))| *expr == Expr::Column(Column::from((q, f)));
        let schema = self.plan.schema();
        if schema.fields().len() == exprs.len() && exprs.iter().zip(schema.iter()).all(same) {
            return Ok(self.plan);
        }
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(self.plan))?))
    }

    /// The columns of the original, in order, over the plan.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn originals(&self, original: &DFSchema) -> Result<Vec<Expr>> {
        original
            .iter()
            .map(|(q, f)| {
                let column = Column::from((q, f));
                Ok(named(self.resolve(Expr::Column(column.clone()))?, &column))
            })
            .collect()
    }

    /// Projects: outputs that need a call are deferred, and the plan carries on what the put-off work will read.
    ///
    /// # Errors
    /// As [`Self::materialise`], or outputs that do not fit the plan.
    pub fn project(mut self, exprs: Vec<Expr>, output: &DFSchema, aliases: &AliasGenerator) -> Result<Self> {
        let columns: Vec<Column> = output.iter().map(Column::from).collect();
        let mut projected = vec![];
        let mut deferred = vec![];
        let mut carried = Carried { columns: columns.clone(), renamed: HashMap::new(), added: vec![] };
        for (expr, column) in exprs.into_iter().zip(columns) {
            let mut resolved = self.resolve(expr.clone())?;
            if has_calls(&resolved) && resolved.is_volatile() {
                // Evaluated later or twice, it would be another value.
                self.materialise(calls(&resolved), aliases)?;
                resolved = self.resolve(resolved)?;
            }
            if has_calls(&resolved) {
                deferred.push((column, resolved.unalias()));
                continue;
            }
            if let Expr::Column(source) = without_alias(&resolved) {
                carried.renamed.entry(source.clone()).or_insert_with(|| column.clone());
            }
            projected.push(if resolved == expr { expr } else { named(resolved.unalias(), &column) });
        }
        // In the order of the plan's columns, so that equal queries have equal plans.
        let put_off =
            deferred.iter().map(|(_, e)| e).chain(&self.pending).chain(self.order.iter().map(|key| &key.expr));
        let used: HashSet<&Column> = put_off.flat_map(Expr::column_refs).collect();
        for column in self.plan.schema().iter().map(Column::from).filter(|c| used.contains(c)) {
            carried.carry(&column, aliases);
        }
        self.available.retain(|(call, _)| call.column_refs().iter().all(|c| carried.renamed.contains_key(c)));
        for (_, column) in &self.available {
            carried.carry(column, aliases);
        }
        self.names.retain(|(call, _)| call.column_refs().iter().all(|c| carried.renamed.contains_key(c)));

        self.deferred = deferred;
        projected.append(&mut carried.added);
        if !projected.is_empty() {
            self.plan = LogicalPlan::Projection(Projection::try_new(projected, Arc::new(self.plan))?);
            self.rename(|c| carried.renamed.get(c).cloned(), false)?;
        }
        Ok(self)
    }

    /// Follows a renaming of the plan's columns; `outputs`: also of the original's.
    pub fn rename(&mut self, to: impl Fn(&Column) -> Option<Column>, outputs: bool) -> Result<()> {
        let rename = |expr: &mut Expr| -> Result<()> {
            *expr = replace_columns(std::mem::take(expr), |c| to(c).map(Expr::Column))?;
            Ok(())
        };
        for (column, expr) in &mut self.deferred {
            rename(expr)?;
            if outputs && let Some(new) = to(column) {
                *column = new;
            }
        }
        self.pending.iter_mut().try_for_each(rename)?;
        self.order.iter_mut().try_for_each(|key| rename(&mut key.expr))?;
        self.names.iter_mut().try_for_each(|(call, _)| rename(call))?;
        for (call, column) in &mut self.available {
            rename(call)?;
            if let Some(new) = to(column) {
                *column = new;
            }
        }
        Ok(())
    }

    /// Takes over what the other side of a join has put off.
    pub fn absorb(&mut self, other: Self) {
        self.deferred.extend(other.deferred);
        self.pending.extend(other.pending);
        self.available.extend(other.available);
        self.names.extend(other.names);
    }
}

/// What a projection passes on beside its outputs.
struct Carried {
    /// Outputs of the projection.
    columns: Vec<Column>,
    /// Where an input column is found in the output.
    renamed: HashMap<Column, Column>,
    /// Expressions to add to the projection.
    added: Vec<Expr>,
}

impl Carried {
    fn carry(&mut self, column: &Column, aliases: &AliasGenerator) {
        if self.renamed.contains_key(column) {
            return;
        }
        let ambiguous = |other: &Column| {
            let unlike = other.relation.is_some() && column.relation.is_some() && other.relation != column.relation;
            other.name == column.name && !unlike
        };
        let output = match self.columns.iter().any(ambiguous) {
            true => Column::new_unqualified(aliases.next(&format!("__{}", column.name))),
            false => column.clone(),
        };
        self.added.push(named(Expr::Column(column.clone()), &output));
        self.columns.push(output.clone());
        self.renamed.insert(column.clone(), output);
    }
}

/// `expr`, called `column`.
pub(super) fn named(expr: Expr, column: &Column) -> Expr {
    match &expr {
        Expr::Column(c) if c == column => expr,
        _ => expr.alias_qualified(column.relation.clone(), &column.name),
    }
}

fn without_alias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => without_alias(&alias.expr),
        other => other,
    }
}

fn replace_columns(expr: Expr, to: impl Fn(&Column) -> Option<Expr>) -> Result<Expr> {
    expr.transform_up(|e| {
        Ok(match &e {
            Expr::Column(c) => to(c).map_or_else(|| Transformed::no(e.clone()), Transformed::yes),
            _ => Transformed::no(e),
        })
    })
    .data()
}
