//! A page under WebDriver, found by the marks that the interfaces carry for tests.

use crate::process::eventually;
use anyhow::{Context, Result, bail, ensure};
use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

/// How long a screen may take: far longer than it does, so that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A session with a driver.
pub struct Page {
    pub client: Client,
}

impl Page {
    /// Opens a session with the driver on `port`.
    pub async fn open(port: u16, capabilities: Capabilities) -> Result<Self> {
        let client = eventually("a WebDriver session", PATIENCE, || async {
            let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
            builder.capabilities(capabilities.clone());
            Ok(builder.connect(&format!("http://127.0.0.1:{port}")).await?)
        })
        .await?;
        Ok(Self { client })
    }

    /// The visible element with this test id.
    pub async fn see(&self, id: &str) -> Result<Element> {
        self.find(&format!("[data-testid=\"{id}\"]")).await
    }

    /// The first visible element of a selector.
    pub async fn find(&self, css: &str) -> Result<Element> {
        eventually(css, PATIENCE, || self.visible(css))
            .await
            .with_context(|| format!("not on the page: {css}"))
    }

    /// The first of a selector's elements that is shown: a screen may hold one for each way that it can be turned.
    async fn visible(&self, css: &str) -> Result<Element> {
        let all = self.client.find_all(Locator::Css(css)).await?;
        ensure!(!all.is_empty(), "{css} is not there");
        for element in all {
            if element.is_displayed().await? {
                return Ok(element);
            }
        }
        bail!("{css} is there, but hidden")
    }

    /// Whether an element with this test id is there now.
    pub async fn has(&self, id: &str) -> Result<bool> {
        Ok(!self.client.find_all(Locator::Css(&format!("[data-testid=\"{id}\"]"))).await?.is_empty())
    }

    /// How many elements there are.
    pub async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.client.find_all(Locator::Css(css)).await?.len())
    }

    /// Waits until there are so many elements, no more and no fewer.
    pub async fn has_just(&self, count: usize, css: &str) -> Result<()> {
        eventually(css, PATIENCE, || async {
            let found = self.count(css).await?;
            if found == count { Ok(()) } else { bail!("{found} of {css}, not {count}") }
        })
        .await
    }

    /// Taps the element, as soon as it can be tapped.
    pub async fn tap(&self, id: &str) -> Result<()> {
        let css = format!("[data-testid=\"{id}\"]");
        eventually(&css, PATIENCE, || async {
            let element = self.visible(&css).await?;
            ensure!(element.is_enabled().await?, "{css} is disabled");
            self.scroll_to(&element).await?;
            ensure!(self.rests(&element).await?, "{css} is moving");
            element.click().await?;
            Ok(())
        })
        .await
        .with_context(|| format!("could not tap {id}"))
    }

    async fn scroll_to(&self, element: &Element) -> Result<()> {
        let script = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        self.client.execute(script, vec![serde_json::to_value(element)?]).await?;
        Ok(())
    }

    /// Whether the element stands where it stood two frames ago: a click goes where it was.
    async fn rests(&self, element: &Element) -> Result<bool> {
        let script = "const [element, done] = arguments;
            const at = () => JSON.stringify(element.getBoundingClientRect());
            const before = at();
            requestAnimationFrame(() => requestAnimationFrame(() => done(before === at())));";
        let rests = self.client.execute_async(script, vec![serde_json::to_value(element)?]).await?;
        Ok(rests.as_bool().unwrap_or(false))
    }

    /// Replaces what stands in a field.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        let element = self.see(id).await?;
        element.clear().await?;
        element.send_keys(text).await?;
        Ok(())
    }

    /// Chooses a file, as a person would in the dialog. The input itself is hidden behind a button.
    pub async fn choose_file(&self, id: &str, path: &Path) -> Result<()> {
        let css = format!("[data-testid=\"{id}\"]");
        let input =
            eventually(&css, PATIENCE, || async { Ok(self.client.find(Locator::Css(&css)).await?) }).await?;
        input.send_keys(path.to_str().context("a path in UTF-8")?).await?;
        Ok(())
    }

    /// Sets a date field, whose keys depend on the language of the browser.
    pub async fn set_date(&self, id: &str, date: &str) -> Result<()> {
        let element = self.see(id).await?;
        let script = "arguments[0].value = arguments[1];
            arguments[0].dispatchEvent(new Event('input', {bubbles: true}));
            arguments[0].dispatchEvent(new Event('change', {bubbles: true}));";
        let arguments = vec![serde_json::to_value(&element)?, date.into()];
        self.client.execute(script, arguments).await?;
        Ok(())
    }

    /// Waits until an attribute of the element satisfies `test`; gives its value.
    pub async fn attribute(&self, id: &str, name: &str, test: impl Fn(&str) -> bool) -> Result<String> {
        let css = format!("[data-testid=\"{id}\"]");
        eventually(&format!("{name} of {css}"), PATIENCE, || async {
            let value = self.visible(&css).await?.attr(name).await?.unwrap_or_default();
            if test(&value) { Ok(value) } else { bail!("{name} is {value:?}") }
        })
        .await
    }

    /// Waits until the element's text satisfies `test`; gives the text.
    pub async fn text(&self, id: &str, test: impl Fn(&str) -> bool) -> Result<String> {
        let css = format!("[data-testid=\"{id}\"]");
        eventually(&format!("text of {css}"), PATIENCE, || async {
            let text = self.visible(&css).await?.text().await?;
            if test(&text) { Ok(text) } else { bail!("it says {text:?}") }
        })
        .await
    }

    /// The ids behind `prefix` of all elements on the page whose test id begins with it, in their order.
    pub async fn ids(&self, prefix: &str) -> Result<Vec<String>> {
        let css = format!("[data-testid^=\"{prefix}\"]");
        let mut ids = Vec::new();
        for element in self.client.find_all(Locator::Css(&css)).await? {
            if !element.is_displayed().await? {
                continue;
            }
            if let Some(id) = element.attr("data-testid").await? {
                ids.push(id[prefix.len()..].to_owned());
            }
        }
        Ok(ids)
    }

    /// Goes to a screen by its address.
    pub async fn go(&self, hash: &str) -> Result<()> {
        self.client.execute("location.hash = arguments[0]", vec![hash.into()]).await?;
        Ok(())
    }

    /// Waits until a file stands on the page as evidence, known by the hash of its bytes.
    pub async fn evidence(&self, path: &Path) -> Result<Element> {
        let hash = sha256(path)?;
        self.find(&format!("[data-testid=\"evidence-{hash}\"]")).await
    }

    /// Waits until the photo's small picture is shown, and sees that it stands upright: higher than wide.
    pub async fn is_upright(&self, path: &Path) -> Result<()> {
        self.find(&format!("[data-testid=\"evidence-{}\"] img", sha256(path)?)).await?;
        let figure = self.evidence(path).await?;
        let script = "const [figure, done] = arguments;
            const image = figure.querySelector('img');
            const told = () => done([image.naturalWidth, image.naturalHeight]);
            if (image.complete) told();
            else { image.loading = 'eager'; image.onload = told; image.onerror = () => done(null); }";
        let size = self.client.execute_async(script, vec![serde_json::to_value(&figure)?]).await?;
        let side = |at: usize| size[at].as_u64().unwrap_or(0);
        ensure!(side(0) > 0 && side(0) < side(1), "the photo is not shown upright: {size}");
        Ok(())
    }

    /// Waits until the page has drawn, and moved, what it meant to.
    pub async fn settled(&self) -> Result<()> {
        let drawn = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));";
        self.client.execute_async(drawn, vec![]).await?;
        Ok(())
    }

    /// Writes a picture of the page.
    pub async fn picture(&self, path: &Path) -> Result<()> {
        self.settled().await?;
        Ok(std::fs::write(path, self.client.screenshot().await?)?)
    }
}

/// The SHA-256 of a file, as the interfaces write it.
pub fn sha256(path: &Path) -> Result<String> {
    Ok(hex::encode(Sha256::digest(std::fs::read(path)?)))
}
