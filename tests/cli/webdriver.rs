//! A browser without a screen, driven over the plain HTTP of WebDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The key of WebDriver under which an element's id stands.
pub const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A Chromium of our own, with a new profile, that is closed with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it; `None`, and a line that says so, where this machine has none.
    pub fn start() -> Option<Self> {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = driver else {
            crate::common::skip("there is no chromedriver on the PATH");
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port =
            lines.find_map(|line| line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok());
        // What it says later is read, so that it can be said.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut browser =
            Self { driver, port: port.expect("chromedriver says its port"), session: String::new(), _profile: profile };
        let args = [
            "--headless".into(),
            "--no-sandbox".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--use-angle=swiftshader".into(),
            "--enable-unsafe-swiftshader".into(),
            "--window-size=1280,1000".into(),
            "--hide-scrollbars".into(),
            format!("--user-data-dir={}", browser._profile.path().display()),
            "about:blank".to_string(),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        match browser.request("POST", "/session", Some(&wanted)) {
            Ok(value) => browser.session = value["sessionId"].as_str().unwrap().to_string(),
            Err(error) if error.contains("cannot find") => {
                crate::common::skip(format_args!("there is no Chromium: {error}"));
                return None;
            }
            Err(error) => panic!("{error}"),
        }
        Some(browser)
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|e| e.to_string())?;
        // One machine may build, test and draw without a graphics card all at once.
        stream.set_read_timeout(Some(Duration::from_secs(300))).map_err(|e| e.to_string())?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .map_err(|e| e.to_string())?;
        let mut reader = BufReader::new(stream);
        let mut length = None;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).map_err(|e| format!("{method} {path}: {e}"))?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse::<usize>().ok();
            }
        }
        let mut answer = vec![0; length.ok_or_else(|| format!("{method} {path}: an answer without a length"))?];
        reader.read_exact(&mut answer).map_err(|e| format!("{method} {path}: {e}"))?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
        match answer["value"].get("error") {
            Some(error) => Err(format!("{method} {path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    /// A command of WebDriver.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        self.request(method, &format!("/session/{}{path}", self.session), body).unwrap()
    }

    /// Opens an address.
    pub fn open(&self, address: &str) {
        self.call("POST", "/url", Some(&json!({"url": address})));
    }

    /// What a function with this body returns.
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", Some(&json!({"script": script, "args": []})))
    }

    /// Waits until an expression is true, a minute at most.
    pub fn wait(&self, condition: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({condition})")) != true {
            assert!(start.elapsed() < Duration::from_secs(60), "{condition} did not come true");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The id of an element.
    pub fn element(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", Some(&json!({"using": "css selector", "value": selector})));
        found[ELEMENT].as_str().unwrap().to_string()
    }

    /// A click of the mouse.
    pub fn click(&self, selector: &str) {
        self.call("POST", &format!("/element/{}/click", self.element(selector)), Some(&json!({})));
    }

    /// Keys pressed on an element.
    pub fn press(&self, selector: &str, keys: &str) {
        self.call("POST", &format!("/element/{}/value", self.element(selector)), Some(&json!({"text": keys})));
    }

    /// A PNG of an element, or of the window.
    pub fn screenshot(&self, selector: Option<&str>) -> Vec<u8> {
        let picture = match selector {
            Some(selector) => self.call("GET", &format!("/element/{}/screenshot", self.element(selector)), None),
            None => self.call("GET", "/screenshot", None),
        };
        from_base64(picture.as_str().unwrap())
    }

    /// What the console has shown since the last call.
    pub fn console(&self) -> Vec<String> {
        let entries = self.call("POST", "/se/log", Some(&json!({"type": "browser"})));
        entries.as_array().unwrap().iter().map(|e| format!("{}: {}", e["level"], e["message"])).collect()
    }

    /// The addresses that pages have asked for since the last call, the browser's own left out.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.call("POST", "/se/log", Some(&json!({"type": "performance"})));
        let address = |entry: &Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            (event["method"] == "Network.requestWillBeSent")
                .then(|| event["params"]["request"]["url"].as_str().map(str::to_string))?
        };
        let all = entries.as_array().unwrap().iter().filter_map(address);
        // chrome:, and the new tab that a browser begins with, chrome-untrusted:
        all.filter(|url| !url.starts_with("chrome") && !url.starts_with("about:")).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.request("DELETE", &format!("/session/{}", self.session), None);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|&c| c != b'=').collect();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let bits = (0..4).fold(0, |bits, k| bits << 6 | chunk.get(k).map_or(0, |&c| digit(c)));
        bytes.extend(bits.to_be_bytes()[1..chunk.len()].iter());
    }
    bytes
}
