// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace waybill::reconcile {

/// What the new archive holds, by the manifests of load: each object with the identity it has there. That is the
/// source's, changed by the edits that transcode applied; the manifest of edits is found by the chain of inputs.
class Loaded {
 public:
  /// `loads` are manifests of load or verify, later ones override earlier ones. A manifest that one was made from is
  /// looked for beside it and among `others`, and taken only if its digest is the one recorded. Throws
  /// RunError(Exit::usage) that names what is missing, also when objects were changed by edits that are not found.
  Loaded(const std::vector<std::filesystem::path>& loads, const std::vector<std::filesystem::path>& others);

  /// Calls `take(object, there)` for each object that is stored, once: the object as the source has it, and as the new
  /// archive has it. In the order of the manifests.
  using Take = std::function<void(const manifest::Object& object, const manifest::Object& there)>;
  void for_each(const Take& take) const;

  [[nodiscard]] const std::vector<manifest::Input>& inputs() const noexcept { return inputs_; }
  /// The edits applied to a study at its last load, empty for none.
  [[nodiscard]] const std::vector<manifest::Edit>& applied(const std::string& study) const;

 private:
  struct Part {
    std::filesystem::path path;
    std::unordered_map<std::string, manifest::Study> applied;  // by study UID
  };
  std::vector<Part> parts_;
  std::unordered_map<std::string, std::size_t> last_;  // object id: its last part; only where there are several
  std::unordered_map<std::string, std::size_t> last_of_study_;
  std::vector<manifest::Input> inputs_;
};

/// Gives an object the value of an identifying attribute; false for a tag that is none.
bool set_attribute(manifest::Object& object, std::string_view tag, const std::string& value);
/// The value of an identifying attribute without blanks at its ends.
[[nodiscard]] std::string attribute(const manifest::Object& object, std::string_view tag);

}  // namespace waybill::reconcile
