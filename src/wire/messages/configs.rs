//! Messages that show and change settings (KIP-133, KIP-339).

use crate::wire::message::messages;

messages! {
    /// Versions 1 to 4.
    struct DescribeConfigsRequest {
        /// The resources whose configurations we want to describe.
        resources: Vec<DescribeConfigsResource> = 0;
        /// True if we should include all synonyms.
        include_synonyms: bool = 0;
        /// True if we should include configuration documentation.
        include_documentation: bool = 3;
    }

    struct DescribeConfigsResource {
        /// The resource type.
        resource_type: i8 = 0;
        /// The resource name.
        resource_name: String = 0;
        /// The configuration keys to list, or null to list all configuration keys.
        configuration_keys: Option<Vec<String>> = 0;
    }

    /// Versions 1 to 4.
    struct DescribeConfigsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The results for each resource.
        results: Vec<DescribeConfigsResult> = 0;
    }

    struct DescribeConfigsResult {
        /// The error code, or 0 if we were able to successfully describe the configurations.
        error_code: i16 = 0;
        /// The error message, or null if we were able to successfully describe the configurations.
        error_message: Option<String> = 0;
        /// The resource type.
        resource_type: i8 = 0;
        /// The resource name.
        resource_name: String = 0;
        /// Each listed configuration.
        configs: Vec<DescribeConfigsResourceResult> = 0;
    }

    struct DescribeConfigsResourceResult {
        /// The configuration name.
        name: String = 0;
        /// The configuration value.
        value: Option<String> = 0;
        /// True if the configuration is read-only.
        read_only: bool = 0;
        /// The configuration source.
        config_source: i8 = 0 else -1;
        /// True if this configuration is sensitive.
        is_sensitive: bool = 0;
        /// The synonyms for this configuration key.
        synonyms: Vec<DescribeConfigsSynonym> = 0;
        /// The configuration data type.
        config_type: i8 = 3;
        /// The configuration documentation.
        documentation: Option<String> = 3;
    }

    struct DescribeConfigsSynonym {
        /// The synonym name.
        name: String = 0;
        /// The synonym value.
        value: Option<String> = 0;
        /// The synonym source.
        source: i8 = 0;
    }

    /// Versions 0 to 2.
    struct AlterConfigsRequest {
        /// The updates for each resource.
        resources: Vec<AlterConfigsResource> = 0;
        /// True if we should validate the request, but not change the configurations.
        validate_only: bool = 0;
    }

    struct AlterConfigsResource {
        /// The resource type.
        resource_type: i8 = 0;
        /// The resource name.
        resource_name: String = 0;
        /// The configurations.
        configs: Vec<AlterableConfig> = 0;
    }

    struct AlterableConfig {
        /// The configuration key name.
        name: String = 0;
        /// The value to set for the configuration key.
        value: Option<String> = 0;
    }

    /// Versions 0 to 2.
    struct AlterConfigsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The responses for each resource.
        responses: Vec<AlterConfigsResourceResponse> = 0;
    }

    struct AlterConfigsResourceResponse {
        /// The resource error code.
        error_code: i16 = 0;
        /// The resource error message, or null if there was no error.
        error_message: Option<String> = 0;
        /// The resource type.
        resource_type: i8 = 0;
        /// The resource name.
        resource_name: String = 0;
    }

    /// Versions 0 to 1.
    struct IncrementalAlterConfigsRequest {
        /// The incremental updates for each resource.
        resources: Vec<IncrementalResource> = 0;
        /// True if we should validate the request, but not change the configurations.
        validate_only: bool = 0;
    }

    struct IncrementalResource {
        /// The resource type.
        resource_type: i8 = 0;
        /// The resource name.
        resource_name: String = 0;
        /// The configurations.
        configs: Vec<IncrementalConfig> = 0;
    }

    struct IncrementalConfig {
        /// The configuration key name.
        name: String = 0;
        /// The type (Set, Delete, Append, Subtract) of operation.
        config_operation: i8 = 0;
        /// The value to set for the configuration key.
        value: Option<String> = 0;
    }

    /// Versions 0 to 1.
    struct IncrementalAlterConfigsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The responses for each resource.
        responses: Vec<AlterConfigsResourceResponse> = 0;
    }
}
