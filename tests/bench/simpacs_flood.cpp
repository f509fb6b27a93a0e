// SPDX-License-Identifier: Apache-2.0
// How fast the simulator's sink is: sends COUNT objects of SIZE bytes over each of ASSOCIATIONS associations.
//   bench_simpacs_flood PORT ASSOCIATIONS COUNT SIZE
#include "simpacs/caller.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* kClass = "1.2.840.10008.5.1.4.1.1.7";
constexpr const char* kSyntax = "1.2.840.10008.1.2.1";

void send(std::uint16_t port, int lane, std::uint64_t count, std::size_t size) {
  using namespace waybill;
  namespace field = net::field;
  simpacs::AssociateRequest request;
  request.called = "SIMPACS";
  request.calling = "FLOOD";
  request.contexts = {{0, kClass, {kSyntax}}};
  simpacs::Caller caller({"127.0.0.1", port}, request, std::chrono::seconds(10));
  const std::uint8_t context = caller.context_of(kClass, kSyntax);
  const Bytes dataset(size);
  for (std::uint64_t i = 0; i < count; ++i) {
    net::Command command = net::Command::make(1, true).set(field::kAffectedClass, kClass);
    command.set(field::kMessageId, static_cast<std::uint16_t>(i));
    command.set(field::kAffectedInstance, "1.2." + std::to_string(lane) + "." + std::to_string(i));
    if (caller.ask(context, command, dataset).number(field::kStatus, 1) != 0) std::abort();
  }
  caller.release();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> lanes;
  for (unsigned i = 0; i < number(2); ++i)
    lanes.emplace_back(send, static_cast<std::uint16_t>(number(1)), i, number(3), number(4));
  for (std::thread& lane : lanes) lane.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto objects = static_cast<double>(number(2) * number(3));
  std::printf("%.0f objects/s, %.0f MB/s\n", objects / seconds.count(),
              objects * static_cast<double>(number(4)) / seconds.count() / 1e6);
}
