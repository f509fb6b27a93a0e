// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verify/compare.hpp"
#include "verify/receive.hpp"
#include "verify/run.hpp"
#include "verify/source.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace waybill::verify {

/// One study on its way through verification.
struct StudyWork {
  std::string study;
  std::vector<manifest::Object> objects;  ///< to be checked
  std::unordered_set<std::string> known;  ///< SOP Instance UIDs of the whole study in the manifest
  std::set<std::string> extra;            ///< at the peer, not in the manifest
  /// Ids of objects that were not loaded, by SOP Instance UID, and those of them that the peer has.
  std::map<std::string, std::vector<std::string>> held_back;
  std::set<std::string> not_loaded;
  bool finished = false;    ///< all objects have their verdict
  bool one_by_one = false;  ///< the study cannot be fetched as a whole: each object by itself
  std::optional<std::unordered_set<std::string>> sampled = {};  ///< ids whose content is compared; all when absent

  [[nodiscard]] std::size_t weight() const noexcept { return 1 + objects.size() + held_back.size(); }
  [[nodiscard]] bool compares(const manifest::Object& object) const { return !sampled || sampled->contains(object.id); }
};

/// How a peer is asked.
struct Way {
  Level level = Level::exists;
  Receiver* receiver = nullptr;             ///< content comes by C-MOVE to it; none: by C-GET or WADO-RS
  std::string destination;                  ///< the AE title that the peer knows us by, for C-MOVE
  std::chrono::milliseconds quiet{30'000};  ///< without an object, after which a C-MOVE gives no more
  std::function<void(std::uint64_t)> came = [](std::uint64_t) {};  ///< told of the bytes of each object; may wait
};

/// Asks the peer for the study's instances and, at Level::content, fetches and compares them, or the sampled ones. A
/// lost connection is opened again once, and then objects are fetched one by one: a peer may end the association at an
/// object of the study that we did not ask for. A busy DICOMweb service is asked again a few times. Throws
/// net::PeerError. Any thread, one study each.
void check_at_peer(StudyWork& work, Source& source, const Way& way);

/// Fixity of the files of every object; leaves the study unfinished when a stop is asked for. `came` as in Way.
void check_files(StudyWork& work, const std::vector<std::filesystem::path>& places,
                 const std::function<void(std::uint64_t)>& came);

}  // namespace waybill::verify
