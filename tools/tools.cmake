# One program a tool; each is options in, one library call, exit code out.
waybill_tool(manifest USES manifest inventory)
target_sources(waybill-manifest PRIVATE tools/manifest_derive.cpp)
waybill_tool(scan USES scan)
waybill_tool(reconcile USES reconcile)
waybill_tool(listen USES listen)
waybill_tool(transcode USES transcode)
waybill_tool(load USES load)
waybill_tool(verify USES verify)
waybill_tool(report USES report)
waybill_tool(sync USES sync)
waybill_tool(simpacs USES simpacs dicom io)

# The dispatcher: `waybill NAME` starts waybill-NAME beside it.
add_executable(waybill tools/waybill.cpp)
target_link_libraries(waybill PRIVATE waybill::core)

# Codecs in processes of their own, for waybill-transcode; no tool for people, so its name is not one of theirs.
add_executable(waybill_codec tools/waybill_codec.cpp)
target_link_libraries(waybill_codec PRIVATE waybill::transcode)
add_dependencies(waybill-transcode waybill_codec)
add_dependencies(waybill-load waybill_codec)

add_custom_target(tools)
add_dependencies(tools waybill waybill-manifest waybill-scan waybill-listen waybill-reconcile waybill-transcode waybill-load waybill-verify waybill-report waybill-sync waybill-simpacs)
