//! Reading to the end, page by page.

use std::marker::PhantomData;

use crate::{Error, Stored, View};

/// How many are read at once, unless [`Pages::at_most`] says otherwise.
const PAGE: usize = 1_000;

/// Everything below a prefix in order of the paths, page by page: records, or ([`Paths`]) their paths alone.
///
/// A page may be short, as stores bound its bytes, too; only an empty one is the end. Here nobody has to
/// know that.
#[derive(Debug)]
pub struct Pages<'a, T> {
    view: &'a View,
    prefix: String,
    after: Option<String>,
    limit: usize,
    of: PhantomData<fn() -> T>,
}

/// Marks [`Pages`] of paths, where nothing is decrypted.
#[derive(Debug)]
pub enum Paths {}

/// Marks [`Pages`] of records over several parts of the store: without the content of those in sealed ones.
#[derive(Debug)]
pub struct Parts<T>(PhantomData<fn() -> T>);

impl View {
    /// The records below `prefix`, to the end. Paths are relative to this view.
    pub fn pages<T: Stored>(&self, prefix: &str) -> Pages<'_, T> {
        Pages::new(self, prefix)
    }

    /// As [`View::pages`], over several parts of the store.
    pub fn part_pages<T: Stored>(&self, prefix: &str) -> Pages<'_, Parts<T>> {
        Pages::new(self, prefix)
    }

    /// The paths below `prefix`, to the end; nothing is decrypted.
    pub fn path_pages(&self, prefix: &str) -> Pages<'_, Paths> {
        Pages::new(self, prefix)
    }
}

impl<'a, T> Pages<'a, T> {
    fn new(view: &'a View, prefix: &str) -> Self {
        Self {
            view,
            prefix: prefix.to_owned(),
            after: None,
            limit: PAGE,
            of: PhantomData,
        }
    }

    /// Reads at most so many at once.
    #[must_use]
    pub fn at_most(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl<T: Stored> Pages<'_, T> {
    /// The next page, which holds something; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<(String, T)>>, Error> {
        let page = self
            .view
            .scan(&self.prefix, self.after.as_deref(), self.limit)
            .await?;
        Ok(page.last().map(|(last, _)| last.clone()).map(|last| {
            self.after = Some(last);
            page
        }))
    }
}

impl<T: Stored> Pages<'_, Parts<T>> {
    /// The next page, which holds something; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<(String, Option<T>)>>, Error> {
        let page = self
            .view
            .scan_parts(&self.prefix, self.after.as_deref(), self.limit)
            .await?;
        Ok(page.last().map(|(last, _)| last.clone()).map(|last| {
            self.after = Some(last);
            page
        }))
    }
}

impl Pages<'_, Paths> {
    /// The next page, which holds something; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<String>>, Error> {
        let page = self
            .view
            .scan_paths(&self.prefix, self.after.as_deref(), self.limit)
            .await?;
        Ok(page.last().cloned().map(|last| {
            self.after = Some(last);
            page
        }))
    }
}
