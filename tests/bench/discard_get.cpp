// SPDX-License-Identifier: Apache-2.0
// Fetches studies of a DICOM node by C-GET, or of a DICOMweb service by WADO-RS, and throws the bytes away: plain
// retrieval, beside which a verification is measured. Usage: discard_get URL CONNECTIONS STUDY…; prints the bytes.
#include "net/association.hpp"
#include "transfer/address.hpp"
#include "web/client.hpp"

#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace waybill;

constexpr const char* kCt = "1.2.840.10008.5.1.4.1.1.2";

template <typename Connection>
void fetch(Connection& connection, const std::vector<std::string>& studies, std::atomic<std::size_t>& next,
           std::atomic<std::uint64_t>& bytes) {
  for (std::size_t i = next++; i < studies.size(); i = next++)
    (void)connection.get(studies[i], [&](const net::Received& object) { bytes += object.dataset.size(); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const transfer::Address address = transfer::parse_address(argv[1]);
  const std::vector<std::string> studies(argv + 3, argv + argc);
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> bytes{0};
  const auto work = [&] {
    if (const auto* endpoint = std::get_if<web::Endpoint>(&address)) {
      web::Client client(*endpoint, {});
      return fetch(client, studies, next, bytes);
    }
    auto contexts = net::Association::get_contexts();
    contexts.push_back({kCt, std::string(net::kExplicitLittle), true});
    auto association = net::Association::request(std::get<net::Peer>(address), "WAYBILL", std::move(contexts), {});
    fetch(association, studies, next, bytes);
  };
  std::vector<std::thread> threads;
  for (int i = std::stoi(argv[2]); i > 0; --i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  std::cout << bytes << '\n';
}
