// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.hpp"
#include "net/peer.hpp"
#include "web/endpoint.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace waybill::transfer {

/// Where a stage sends to or asks: a DICOM node or a DICOMweb service.
using Address = std::variant<net::Peer, web::Endpoint>;

/// From "dicom://…", "dicoms://…", "https://…" or "http://…". Throws RunError(Exit::usage) otherwise.
[[nodiscard]] inline Address parse_address(std::string_view url) {
  if (web::is_web_url(url)) return web::parse_url(url);
  return net::parse_url(url);
}

/// The form in headers and messages.
[[nodiscard]] inline std::string url_of(const Address& address) {
  return std::visit([](const auto& one) { return one.url(); }, address);
}

/// The way of objects to an address, for the audit trail.
[[nodiscard]] inline audit::Route route_to(const Address& address, const std::string& calling) {
  if (const auto* peer = std::get_if<net::Peer>(&address)) return {peer->url(), peer->called, peer->host, calling};
  const auto& service = std::get<web::Endpoint>(address);
  return {service.url(), {}, service.host, {}};
}

}  // namespace waybill::transfer
