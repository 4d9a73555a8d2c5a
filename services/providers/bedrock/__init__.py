"""Amazon Bedrock's runtime as a provider: foundation and custom models by Converse, imported ones by InvokeModel."""
