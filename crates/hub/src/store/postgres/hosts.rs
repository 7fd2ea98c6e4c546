//! The hosts of an address, each by itself: one that is frozen must not keep those behind it from being tried.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// What each host of `config` is reached by, in their order.
pub(super) fn each(config: &Config) -> Vec<Config> {
    match config.get_hosts().len().max(config.get_hostaddrs().len()) {
        // The driver says what is wrong with none.
        0 | 1 => vec![config.clone()],
        count => (0..count).map(|at| alone(config, at)).collect(),
    }
}

/// The same but for the host: the driver lets none be taken out.
fn alone(config: &Config, at: usize) -> Config {
    let mut alone = Config::new();
    match config.get_hosts().get(at) {
        Some(Host::Tcp(name)) => {
            alone.host(name);
        }
        Some(Host::Unix(folder)) => {
            alone.host_path(folder);
        }
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(at) {
        alone.hostaddr(*address);
    }
    if let Some(port) = config.get_ports().get(at).or(config.get_ports().first()) {
        alone.port(*port);
    }
    if let Some(user) = config.get_user() {
        alone.user(user);
    }
    if let Some(password) = config.get_password() {
        alone.password(password);
    }
    if let Some(name) = config.get_dbname() {
        alone.dbname(name);
    }
    if let Some(options) = config.get_options() {
        alone.options(options);
    }
    if let Some(name) = config.get_application_name() {
        alone.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        alone.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        alone.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        alone.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        alone.keepalives_retries(retries);
    }
    alone
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    alone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_of_an_address_is_reached_as_it_says() {
        let address = "postgres://hub:sesame@one:1,two:2/office?options=-csearch_path%3Dx&application_name=y&sslmode=require\
                       &connect_timeout=3&tcp_user_timeout=4&keepalives=0&keepalives_idle=5&keepalives_interval=6\
                       &keepalives_retries=7&channel_binding=require&target_session_attrs=read-write&sslnegotiation=direct";
        let whole: Config = address.parse().unwrap();
        let each = each(&whole);
        for (at, one) in each.iter().enumerate() {
            let host = ["one:1", "two:2"][at];
            let alone: Config = address.replace("one:1,two:2", host).parse().unwrap();
            assert_eq!(one, &alone, "{host}");
        }
        assert_eq!(each.len(), 2);
        let one: Config = address.replace("one:1,", "").parse().unwrap();
        assert_eq!(self::each(&one), [one]);
    }
}
