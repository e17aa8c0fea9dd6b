"""What is nginx told: a store with links that expire, and a proxy before the API?"""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

SECRET = "nginx-secret-31d7"


@frozen(kw_only=True)
class Settings:
    """What a test may want of the store."""

    secret: str = SECRET
    """What links are signed with."""
    rate: str | None = None
    """nginx's `limit_rate` for one body, e.g. ``4m`` a second."""
    gzip: bool = False
    connections: int | None = None
    """Transfers at the same time; the next one gets 503."""
    certificate: str = "good"
    """Which one the store shows."""
    api_certificate: str = "good"
    """Which one stands before the API."""


# `secure_link` compares with `$uri` in most examples, which is decoded and normalised: a link that
# was quoted anew on its way would pass.  So the raw request line is signed, up to the signature,
# which must be the last term: "adding one afterwards" is refused here as it is at CloudFront.
_CONF = """
{user}
daemon off;
worker_processes 1;
worker_shutdown_timeout 1ms;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 256; }}

http {{
    types {{ application/geo+json geojson; }}
    default_type application/octet-stream;
    client_body_temp_path temp/body;
    proxy_temp_path temp/proxy;
    fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi;
    scgi_temp_path temp/scgi;

    log_format seen escape=json '{{"port":$server_port,"connection":$connection,'
        '"tls":"$ssl_protocol","method":"$request_method","target":"$request_uri",'
        '"status":$status,"sent":$body_bytes_sent,"took":$request_time,'
        '"authorization":"$http_authorization",'
        '"accept_encoding":"$http_accept_encoding","range":"$http_range",'
        '"if_range":"$http_if_range","content_range":"$sent_http_content_range",'
        '"etag":"$sent_http_etag"}}';
    access_log access.log seen;

    map $request_uri $signed {{
        default "";
        "~^(?<but_signature>[^?]+[?](?:.*&)?Expires=[0-9]+)&Signature=[A-Za-z0-9_-]+$"
            $but_signature;
    }}
    limit_conn_zone $server_port zone=transfers:1m;
    limit_conn_status 503;

    server {{
        listen 127.0.0.1:{cdn_port} ssl;
        ssl_certificate {certificate}.pem;
        ssl_certificate_key {certificate}.pem;
        root files;
        sendfile_max_chunk 64k;
        {extra}

        location / {{
            secure_link $arg_signature,$arg_expires;
            secure_link_md5 "$signed {secret}";
            error_page 403 @denied;
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 403; }}
        }}
        location @denied {{
            default_type text/xml;
            return 403
                "<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>";
        }}
    }}
    server {{
        listen 127.0.0.1:{api_port} ssl;
        ssl_certificate {api_certificate}.pem;
        ssl_certificate_key {api_certificate}.pem;
        location / {{
            proxy_pass {api};
            proxy_http_version 1.1;
        }}
    }}
}}
"""


def render(settings: Settings, *, cdn_port: int, api_port: int, api: str) -> str:
    """The text of nginx.conf; all its paths are relative to nginx's own folder."""
    extra = []
    if settings.rate is not None:
        extra.append(f"limit_rate {settings.rate};")
    if settings.gzip:
        extra.append("gzip on; gzip_min_length 1; gzip_types application/geo+json;")
    if settings.connections is not None:
        extra.append(f"limit_conn transfers {settings.connections};")
    return _CONF.format(
        user=_user(),
        cdn_port=cdn_port,
        api_port=api_port,
        api=api,
        certificate=settings.certificate,
        api_certificate=settings.api_certificate,
        secret=settings.secret,
        extra=" ".join(extra),
    )


def prepare(folder: Path) -> None:
    """Make what nginx does not make by itself."""
    for name in ("files", "temp"):
        (folder / name).mkdir()


def _user() -> str:
    # Started by root, workers become somebody who may not read a test's folder; started by anybody
    # else, nginx warns that the line has no effect.
    return "user root root;" if os.geteuid() == 0 else ""
